{{ backlog_age(0.9) }}

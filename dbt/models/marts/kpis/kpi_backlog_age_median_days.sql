{{ backlog_age(0.5) }}

{{ quality_share("due_at is not null") }}

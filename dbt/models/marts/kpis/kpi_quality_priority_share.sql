{{ quality_share("priority in ('LOW', 'MEDIUM', 'HIGH')") }}

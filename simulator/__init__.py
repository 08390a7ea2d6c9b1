"""A stand-in for MaintainX: a simulated company, or recorded lists, behind its REST API; and the truth about them."""

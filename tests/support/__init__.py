"""What the tests share: real projects, real runs of dbt and Afresh, real databases. Nothing here replaces code under test."""

"""Hosts over SSH: connections, programs and files there. The owner of paramiko."""

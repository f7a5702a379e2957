"""The steps of one job each, against ports: no use case imports an adapter."""

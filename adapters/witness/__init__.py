"""Witnesses of checkpoints over HTTP (C2SP tlog-witness): one to serve, and one to ask. The rules are the journal's."""

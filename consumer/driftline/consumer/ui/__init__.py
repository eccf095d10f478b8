"""The page and its API: a process of its own, which reads the topics and answers browsers."""

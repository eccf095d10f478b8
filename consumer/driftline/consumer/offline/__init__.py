"""Work on files and frames without a broker; nothing here prints (see `feedback`)."""

"""The decision core in virtual time: the tape is searched, time is an argument, nothing is kept."""

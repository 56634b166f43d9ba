"""The tables and sentences of a report, each made from a results document."""

"""A topic is data: two conditions, their instruments, pathways, circumstances and evidence; and its reader."""

from bothways.topics.evidence import read_evidence
from bothways.topics.generic import generic_topic
from bothways.topics.shelf import instruments, load_topic, topic_names

__all__ = ["generic_topic", "instruments", "load_topic", "read_evidence", "topic_names"]

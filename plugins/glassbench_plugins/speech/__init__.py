"""Speech: clips with transcripts, the task of recognising what is said, and networks that write letter after letter."""

"""Models that others trained, as Hugging Face's libraries save them: in a folder or on the hub.

It decides where one is found, which of its files decide a number and whether they are whole. It loads no weights.
"""

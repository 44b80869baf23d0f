"""Images made elsewhere: from a folder that another program left to a dataset of kind ``generated``.

A room of its own and no backend: a backend makes what a plan asks for, in a setting that it binds or refuses; here the
images are there, and what has to be found out is which prompt each belongs to. Decides which files are images of which
prompt, what is missing, and what is said of it. Does not judge pictures, and changes no byte of them.

``layouts`` say what the names of files mean; ``matching`` finds the prompts of a set; ``placing`` gives each image its
place; ``rows`` and ``shard_job`` write; ``coverage`` says what came of it.
"""

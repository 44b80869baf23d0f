"""Evidence from elsewhere: what others' judges answered, matched to the rows of a dataset and stored beside it.

A format reads a file into records; which image and question each is about is found by what the record names. Decides
nothing about what is right: rules find the evidence where a judge's own would lie.
"""

# To add one: a module with a function of the contract ``ImportFormat``, a line here (alphabetical), a test.
FORMATS: dict[str, str] = {
    "answers": "diptych.evaluate.imports.answers:answers",
    "dsg": "diptych.evaluate.imports.dsg:dsg",
}

"""Evidence from elsewhere: what others' judges, or people, said, matched to the rows of a dataset and stored beside it.

A format reads a file into records; which image and question each is about is found by what the record names. Decides
nothing about what is right: rules find the evidence where a judge's own would lie.
"""

# To add one: a module with an ``ImportFormat``, a line here (alphabetical), a test.
FORMATS: dict[str, str] = {
    "answers": "diptych.evaluate.imports.answers:ANSWERS_FILE",
    "coco": "diptych.evaluate.imports.coco:COCO_DETECTIONS",
    "dsg": "diptych.evaluate.imports.dsg:DSG_ANSWERS",
    "dsg_likert": "diptych.evaluate.imports.dsg_likert:DSG_LIKERT",
    "genai_bench": "diptych.evaluate.imports.genai_bench:GENAI_BENCH_RATINGS",
    "geneval": "diptych.evaluate.imports.geneval:GENEVAL_RESULTS",
    "labels": "diptych.evaluate.imports.labels:LABELS_FILE",
    "ratings": "diptych.evaluate.imports.ratings:RATINGS_FILE",
    "tifa": "diptych.evaluate.imports.tifa:TIFA_RESULTS",
    "vqa_score": "diptych.evaluate.imports.vqa_score:VQA_SCORES",
    "wise": "diptych.evaluate.imports.wise:WISE_GRADES",
}

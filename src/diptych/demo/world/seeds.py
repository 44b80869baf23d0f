"""Which scenes are for what: the first seed of each purpose, in order. What one model learned from measures no other.

The scenes of a purpose end where those of the next one begin. The web of a seed has those from a million times it on.
"""

CLIP_ROWS = 1_000_000_000  # what the CLIP and the autoencoder learn from
HEAD_ROWS = 1_500_000_000  # what the heads over the CLIP learn from
DETECTOR_ROWS = 1_700_000_000  # what the detector learns from
LOOKED_AT = 1_900_000_000  # what is looked at while the CLIP, the autoencoder and the pipelines learn
DETECTOR_LOOKED_AT = 1_950_000_000  # what is looked at while the detector learns

HELD_OUT = 2_000_000_000  # nothing is trained on scenes from here on; what the CLIP is measured on
DEMO_PROMPTS = 2_010_000_000  # what the prompt set of the demo is about
HELD_OUT_PICTURES = 2_030_000_000  # pictures that a distance refers to
ORDERED_PICTURES = 2_040_000_000  # pictures drawn to order, for questions that the truth answers
SPECIMENS = 2_050_000_000  # what the heads are measured on
DETECTOR_SCENES = 2_070_000_000  # what the detector is measured on
PIPELINE_PROMPTS = 2_080_000_000  # what the pipelines are measured on
MEASURED_WEB = 2100  # seed of the web that the CLIP is measured on: its scenes begin at 2,100,000,000

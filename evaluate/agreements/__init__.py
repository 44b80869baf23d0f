"""Agreement of two judges on the same images, and of a judge with people.

It decides what is held against what, image by image or question by question, and counts; who is right it does not say,
unless a config says that one of the two is.
"""

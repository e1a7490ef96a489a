"""What is stored about faces before training: the app's crop, landmarks, teachers' answers.

May import `loop` and what lies below it. Promises that a face's annotations are found again by its
pixels, and that nothing but crops holds what a face can be seen in.
"""

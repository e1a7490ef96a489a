"""What share of its time each face showed what, from the rows of `fer-live analyze`.

fer-live analyze clip.mp4 --out faces.csv
python examples/table.py faces.csv
"""

import sys

import pandas as pd

rows = pd.read_csv(sys.argv[1], keep_default_na=False)
rows["shown"] = rows["shown_label"].replace("", "unsure")
face = [rows["source"], rows["track_id"]]

shares = pd.crosstab(face, rows["shown"], normalize="index")
print("Share of the frames in which each label was shown:")
print(shares.round(2).to_string())

probs = [column for column in rows if column.startswith("p_")]
print("\nMean probabilities:")
print(rows.groupby(["source", "track_id"])[probs].mean().round(2).to_string())

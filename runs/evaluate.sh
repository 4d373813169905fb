#!/usr/bin/env bash
# The default model beside its peers, on people nobody trained on, with two recognisers: one report.
#
#   runs/evaluate.sh DATA [WORK]
#
# DATA holds celeba_crops/, celeba_crops.csv, recognisers/ and peers/. WORK (work/ unless told)
# receives the report in WORK/evaluation/report. About three minutes on two cores.
set -euo pipefail
data=$(realpath "$1")
work=${2:-work}
out="$work/evaluation"
mkdir -p "$out/test"

# 1. The test people: their pictures, who they are, and where their faces are.
python - "$data" "$out" <<'PYTHON'
import csv, os, sys
from pathlib import Path

data, out = map(Path, sys.argv[1:])
rows = list(csv.DictReader((data / "celeba_crops.csv").open(newline="")))
rows = [row for row in rows if row["split"] == "test"]
with (out / "people.csv").open("w", newline="") as file:
    writer = csv.DictWriter(file, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
for row in rows:
    link = out / "test" / row["path"]
    if not link.exists():
        os.symlink(data / "celeba_crops" / row["path"], link)
PYTHON

# 2. What two recognisers make of the faces, aligned as published evaluations do.
for name in insightface_y1:raw foamliu:arcface; do
    file="$out/${name%:*}.onnx"
    [ -f "$file" ] || facegauge models wrap "$data/recognisers/mobilefacenet_${name%:*}.onnx" \
        --convention "${name#*:}" --resampling reference --out "$file"
    [ -f "${file%.onnx}.npz" ] || facegauge embed "$out/test" --recogniser "$file" \
        --landmarks "$out/people.csv" --out "${file%.onnx}.npz"
done

# 3. Scores: the default model, and tables of the peers, sharpness and chance.
rm -f "$out/utility.csv"
facegauge score "$out/test" --input crop --landmarks "$out/people.csv" --out "$out/utility.csv"
python benchmarks/peers.py --data "$data" --write "$out/peers" \
    --recognisers "$out/insightface_y1.onnx" "$out/foamliu.onnx"
rm -f "$out"/peers/facegauge-*.csv

# 4. One report. Its operating.json is what facegauge models annotate puts into the model's card.
facegauge evaluate edc --scores "$out/utility.csv" \
    $(for table in "$out"/peers/*.csv; do echo --scores "$table"; done) \
    --embeddings "$out/insightface_y1.npz" --embeddings "$out/foamliu.npz" \
    --identities "$out/people.csv" --name "60 test people of celeba_crops" \
    --images "$out/test" --out "$out/report"

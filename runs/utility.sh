#!/usr/bin/env bash
# The embedded default `utility`, by AI-KD, from data to model file. Run it again after a kill: it
# goes on.
#
#   runs/utility.sh DATA [WORK]
#
# DATA holds celeba_crops/ and .csv, utkface/, recognisers/, detectors/ and peers/. WORK (work/ unless
# told) receives everything that is made on the way. About three hours on one free core: half an
# hour of labels, two hours of training.
set -euo pipefail
data=$(realpath "$1")
work=${2:-work}
out="$work/ai-kd-data"
mkdir -p "$out/recognisers" "$out/targets" "$out/swaps"

# 1. The faces: named people with landmarks, unnamed ones that still need them, and 30,000 pictures
#    made of both: degraded ones, and mixtures of two.
ln -sfn "$data/celeba_crops" "$out/celeba_crops"
ln -sfn "$data/celeba_crops.csv" "$out/celeba_crops.csv"
ln -sfn "$data/utkface" "$out/utkface"
[ -f "$out/utkface.csv" ] || facegauge detect "$out/utkface" --faces largest --out "$out/utkface.csv"
[ -f "$out/views.csv" ] || python runs/views.py --data "$out" --tables celeba_crops utkface

# 2. The same pictures as another detector sees them, each with its folder before it.
for name in celeba_crops utkface; do
    [ -f "$out/swaps/$name.csv" ] && continue
    facegauge detect "$out/$name" --faces largest \
        --detector "$data/detectors/yunet_n_dynamic.onnx" --out "$out/swaps/$name.draft.csv"
    sed "1!s|^|$name/|" "$out/swaps/$name.draft.csv" > "$out/swaps/$name.csv"
    rm "$out/swaps/$name.draft.csv"
done

# 3. The teachers: two recognisers, each with its own preprocessing baked in.
y1="$out/recognisers/insightface_y1.onnx"
foamliu="$out/recognisers/foamliu.onnx"
[ -f "$y1" ] || facegauge models wrap "$data/recognisers/mobilefacenet_insightface_y1.onnx" \
    --convention raw --resampling reference --out "$y1"
[ -f "$foamliu" ] || facegauge models wrap "$data/recognisers/mobilefacenet_foamliu.onnx" \
    --convention arcface --resampling reference --out "$foamliu"

# 4. Labels: how near to its person a picture will be, told from the features of each recogniser by
#    what it learned on the training people. One table of all faces, with their folders before them.
python - "$out" <<'PYTHON'
import csv, sys
from pathlib import Path

from facegauge.tables import LANDMARK_COLUMNS

out = Path(sys.argv[1])
rows, people = [], []
for table in ("celeba_crops", "utkface", "views"):
    with (out / f"{table}.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row.get("split") == "test":
                continue
            rows.append([f"{table}/{row['path']}", *(row[name] for name in LANDMARK_COLUMNS[1:])])
            if table == "celeba_crops" and row["split"] == "train":
                people.append([rows[-1][0], row["identity"]])
for name, heads, lines in (("faces", LANDMARK_COLUMNS, rows), ("people", ["path", "identity"], people)):
    with (out / f"{name}.csv").open("w", newline="") as file:
        csv.writer(file).writerows([heads, *lines])
PYTHON
for recogniser in "$y1" "$foamliu"; do
    labels="$out/probe-$(basename "$recogniser" .onnx).csv"
    [ -f "$labels" ] || facegauge label probe --images "$out" --landmarks "$out/faces.csv" \
        --identities "$out/people.csv" --recogniser "$recogniser" --out "$labels" --resume
done

# 5. The student, first by the ranks of the labels, then by the labels themselves: among all these
#    pictures, most of which are bad, ranks say little of how bad a photograph is.
learn() { # RUN OPTIONS...
    grep -qs '"complete": true' "$1/run.json" || facegauge train ai-kd-xxs --data "$out" --out "$1" \
        --set name=utility --set version=2 --set tables=celeba_crops,utkface,views \
        --set labels=probe-insightface_y1.csv,probe-foamliu.csv \
        --set swap_tables=swaps/celeba_crops.csv,swaps/utkface.csv --set swaps=.3 \
        --set batch=64 "${@:2}" $([ -d "$1" ] && echo --resume)
}
learn "$work/ai-kd-ranks" --set embedding_weight=.3 --set legs=12 --set steps=1000
run="$work/ai-kd"
cp -u "$work/ai-kd-ranks/model.safetensors" "$out/ranks.safetensors"
learn "$run" --set start=ranks.safetensors --set scale=range --set embedding_weight=.1 \
    --set learning_rate=7e-4 --set warmup=.1 --set legs=3 --set steps=800

# 6. One file, what it is worth on people it never saw, and in its card what thresholds cost there.
model=src/facegauge/models/utility.onnx
facegauge export "$run" --out "$model"
runs/evaluate.sh "$data" "$work"
facegauge models annotate "$model" "$work/evaluation/report/operating.json" --out "$model"

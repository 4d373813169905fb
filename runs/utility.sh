#!/usr/bin/env bash
# The embedded default `utility`, by AI-KD, from data to model file. Run it again after a kill: it
# goes on.
#
#   runs/utility.sh DATA [WORK]
#
# DATA holds celeba_crops/ and .csv, utkface/, recognisers/, detectors/ and peers/. WORK (work/ unless
# told) receives everything that is made on the way. About four hours on one free core: half an
# hour of labels, three hours of training.
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

# 5. A larger student, first by the ranks of the labels, then by the labels themselves: among all
#    these pictures, most of which are bad, ranks say little of how bad a photograph is.
learn() { # RUN OPTIONS...
    grep -qs '"complete": true' "$work/$1/run.json" || facegauge train ai-kd-xxs --data "$out" \
        --out "$work/$1" --set tables=celeba_crops,utkface,views --set batch=64 \
        --set swap_tables=swaps/celeba_crops.csv,swaps/utkface.csv --set swaps=.3 \
        "${@:2}" $([ -d "$work/$1" ] && echo --resume)
}
probes=probe-insightface_y1.csv,probe-foamliu.csv
learn ai-kd-ranks --set name=utility --set version=2 --set labels=$probes \
    --set embedding_weight=.3 --set legs=12 --set steps=1000
cp -u "$work/ai-kd-ranks/model.safetensors" "$out/ranks.safetensors"
learn ai-kd --set name=utility --set version=2 --set labels=$probes \
    --set start=ranks.safetensors --set scale=range --set embedding_weight=.1 \
    --set learning_rate=7e-4 --set warmup=.1 --set legs=3 --set steps=800
larger="$work/utility-2.onnx"
[ -f "$larger" ] || facegauge export "$work/ai-kd" --out "$larger"

# 6. What it thinks of all faces becomes a third label.
if [ ! -f "$out/larger.csv" ]; then
    facegauge score "$out" --input crop --landmarks "$out/faces.csv" --model "$larger" \
        --out "$work/larger.jsonl" --resume
    python - "$out" "$work/larger.jsonl" <<'PYTHON'
import csv, json, sys
from pathlib import Path

out, scored = map(Path, sys.argv[1:])
with (out / "faces.csv").open(newline="") as file:
    faces = {row["path"] for row in csv.DictReader(file)}
rows = [json.loads(line) for line in scored.read_text().splitlines()]
labels = [[row["path"], row["raw"]] for row in rows if row["path"] in faces and row["raw"] is not None]
with (out / "larger.csv").open("w", newline="") as file:
    csv.writer(file).writerows([["path", "label"], *labels])
PYTHON
fi

# 7. The default: a network of two thirds of the multiplications, nearly all of them dense, which
#    takes a third of the time. By ranks, by the labels, and by the three labels together.
slim() { # RUN OPTIONS...
    learn "$1" --set name=utility --set version=3 --set network=slim --set steps=1000 "${@:2}"
    cp -u "$work/$1/model.safetensors" "$out/$1.safetensors"
}
slim slim-ranks --set labels=$probes --set embedding_weight=.3 --set legs=12 --set chosen_by=loss
slim slim-labels --set labels=$probes --set start=slim-ranks.safetensors --set scale=range \
    --set embedding_weight=.2 --set learning_rate=1.5e-3 --set warmup=.1 --set legs=3 \
    --set chosen_by=loss
slim slim --set labels=$probes,larger.csv --set start=slim-labels.safetensors --set scale=range \
    --set embedding_weight=.2 --set learning_rate=1.5e-3 --set warmup=.1 --set legs=8

# 8. One file, what it is worth on people it never saw, and in its card what thresholds cost there.
model=src/facegauge/models/utility.onnx
facegauge export "$work/slim" --out "$model"
runs/evaluate.sh "$data" "$work"
facegauge models annotate "$model" "$work/evaluation/report/operating.json" --out "$model"

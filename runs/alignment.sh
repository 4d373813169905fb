#!/usr/bin/env bash
# AI-KD of seven techniques at small scale, in the form of the paper's table: one table a recogniser.
#
#   runs/alignment.sh DATA [WORK]
#
# DATA holds celeba_crops/, celeba_crops.csv and recognisers/. WORK (work/ unless told) is that of
# runs/techniques.sh, whose networks are the techniques that are networks; what is new stands in
# WORK/alignment. What is there already is not made again, so a stopped run goes on. On two cores
# about an hour and a half, of which FaceQAN's gradients take the half.
set -euo pipefail
data=$(realpath "$1")
work=$(realpath -m "${2:-work}")
out="$work/alignment"
y1="$work/evaluation/insightface_y1.onnx"
foamliu="$work/evaluation/foamliu.onnx"
networks="cr-fiqa magface sdd-fiqa faceqnet difiqa-r"
[ -f "$work/techniques/report/table.md" ] || runs/techniques.sh "$data" "$work"
mkdir -p "$out/data/recognisers" "$out/runs" "$out/kept"

# 1. The faces that may be learned from and chosen on, and the teacher: foamliu's MobileFaceNet, with
#    whose weights every student begins, as AI-KD has it.
ln -sfn "$data/celeba_crops" "$out/data/celeba_crops"
ln -sfn "$data/celeba_crops.csv" "$out/data/celeba_crops.csv"
cp -u "$data/recognisers/mobilefacenet_foamliu_state_dict.pt" "$out/data/foamliu.pt"
cp -u "$foamliu" "$out/data/recognisers/foamliu.onnx"
python - "$data/celeba_crops.csv" "$out" <<'PYTHON'
import csv, os, sys
from pathlib import Path

table, out = Path(sys.argv[1]), Path(sys.argv[2])
with table.open(newline="") as file:
    rows = [row for row in csv.DictReader(file) if row["split"] != "test"]
for name, chosen in (("learned", rows), ("fewer", rows[::7])):
    with (out / f"{name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(chosen)
(out / "learned").mkdir(exist_ok=True)
for row in rows:
    link = out / "learned" / row["path"]
    if not link.exists():
        os.symlink(table.with_suffix("") / row["path"], link)
PYTHON

# 2. Labels of properly aligned faces: by two techniques that ask y1 (FaceQAN, of which a label takes
#    more than a second, for a seventh of the faces), and by the networks of the others.
labelled() { # TECHNIQUE TABLE
    [ -f "$out/data/$1.csv" ] || facegauge label "$1" --images "$data/celeba_crops" \
        --recogniser "$y1" --landmarks "$out/$2.csv" --out "$out/data/$1.csv" --resume \
        2> "$out/$1.log"
}
labelled ser-fiq learned
labelled faceqan fewer
for name in $networks; do
    [ -f "$out/data/$name.csv" ] && continue
    rm -f "$out/$name.csv"
    facegauge score "$out/learned" --model "$work/techniques/runs/$name.onnx" --input crop \
        --landmarks "$out/learned.csv" --out "$out/$name.csv"
    python - "$out/$name.csv" "$out/data/$name.csv" <<'PYTHON'
import csv, sys

with open(sys.argv[1], newline="") as file, open(sys.argv[2], "w", newline="") as labels:
    writer = csv.writer(labels)
    writer.writerow(("path", "label"))
    writer.writerows((row["path"], row["raw"]) for row in csv.DictReader(file) if row["raw"])
PYTHON
done

# 3. The students: noise of 3 pixels on crops of 112, minutes each.
models=()
mkdir -p "$out/data/targets"
for name in ser-fiq faceqan $networks; do
    run="$out/runs/$name"
    grep -qs '"complete": true' "$run/run.json" || facegauge train ai-kd --data "$out/data" \
        --out "$run" --set "labels=$name.csv" --set scale=rank --set start=foamliu.pt \
        --set network=mobilefacenet-foamliu --set width=128 --set jitter_pixels=0 \
        --set jitter=.085 --set mirrored=.5 --set optimiser=adamw --set learning_rate=3e-4 \
        --set head_rate=10 --set schedule=cosine --set average=.98 --set batch=32 --set legs=4 \
        --set steps=50 --set precision=32-true $([ -d "$run" ] && echo --resume)
    [ -f "$run.onnx" ] || facegauge export "$run" --set "name=ai-kd-$name" --out "$run.onnx"
    models+=("$name=$run.onnx")
done

# 4. The tables, on people nobody has learned from or chosen on.
named=()
for name in $networks; do named+=("$name=$work/techniques/runs/$name.onnx"); done
python benchmarks/alignment.py --data "$data" --split test --recognisers "$y1" "$foamliu" \
    --networks "${named[@]}" --models "${models[@]}" utility=src/facegauge/models/utility.onnx \
    --keep "$out/kept" | tee "$out/table.md"

#!/usr/bin/env bash
# The embedded default `utility`, from data to model file. Run it again after a kill: it goes on.
#
#   runs/utility.sh DATA [WORK]
#
# DATA holds celeba_crops/ and .csv, utkface/, recognisers/ and peers/. WORK (work/ unless
# told) receives everything that is made on the way. About two hours on two cores.
set -euo pipefail
data=$(realpath "$1")
work=${2:-work}
mkdir -p "$work/data/recognisers"

# 1. The faces: named people with landmarks, and unnamed ones that still need them.
ln -sfn "$data/celeba_crops" "$work/data/celeba_crops"
ln -sfn "$data/celeba_crops.csv" "$work/data/celeba_crops.csv"
ln -sfn "$data/utkface" "$work/data/utkface"
[ -f "$work/data/utkface.csv" ] || facegauge detect "$work/data/utkface" --faces largest \
    --out "$work/data/utkface.csv"

# 2. The teachers: two recognisers, each with its own preprocessing baked in.
y1="$work/data/recognisers/mobilefacenet_insightface_y1.onnx"
foamliu="$work/data/recognisers/mobilefacenet_foamliu.onnx"
[ -f "$y1" ] || facegauge models wrap "$data/recognisers/$(basename "$y1")" --convention raw --out "$y1"
[ -f "$foamliu" ] || facegauge models wrap "$data/recognisers/$(basename "$foamliu")" \
    --convention arcface --out "$foamliu"

# 3. The student, by the recipe `first`.
facegauge train first --data "$work/data" --out "$work/utility" \
    --set tables=celeba_crops,utkface $([ -f "$work/utility/recipe.json" ] && echo --resume)

# 4. One file, what it is worth on people it never saw, and in its card what thresholds cost there.
model=src/facegauge/models/utility.onnx
facegauge export "$work/utility" --out "$model"
runs/evaluate.sh "$data" "$work"
facegauge models annotate "$model" "$work/evaluation/report/operating.json" --out "$model"

#!/usr/bin/env bash
# The embedded detector, from data to model file. Run it again after a kill: it goes on.
#
#   runs/detector.sh DATA [WORK]
#
# DATA holds celeba_photos/, celeba_crops/, utkface/ (the first two with a .csv of splits) and
# detectors/. WORK (work/ unless told) receives everything that is made on the way. About three
# hours on two cores.
set -euo pipefail
data=$(realpath "$1")
work=${2:-work}
train="$work/faces"
teacher="$data/detectors/scrfd_2.5g_bnkps.onnx"
mkdir -p "$train"

# 1. What the reference detector sees: in the photographs and crops that are not for testing, where
#    its tables hold another look of it, and in the unlabelled faces. Faces of less confidence than
#    0.5, and those that only one of two looks shows, are doubtful: nothing is learned from them.
for name in celeba_photos celeba_crops utkface; do
    ln -sfn "$data/$name" "$train/$name"
    known=""
    [ "$name" = utkface ] || known="--reference $data/$name.csv"
    [ "$name" != celeba_crops ] || known="$known --largest"
    [ -f "$train/$name.csv" ] || { python runs/faces.py --images "$data/$name" \
        --detector "$teacher" $known --out "$train/$name.draft" \
        && mv "$train/$name.draft" "$train/$name.csv"; }
done

# 2. Pictures to be silent on.
[ -d "$train/others" ] || python runs/backgrounds.py "$train/backgrounds" "$train/others"

# 3. The network, by the recipe `detector`, in three runs: a smaller one that sees faces as they
#    come, one that goes on from it with more blocks and sees the hard ones more often, and a short
#    one at a low rate with more pictures without faces.
learn() { # NAME, recipe and settings
    out="$work/$1"
    recipe="$2"
    shift 2
    facegauge train "$recipe" --data "$train" --out "$out" --set backgrounds=backgrounds \
        --set tables=celeba_photos,celeba_crops,utkface --set shares=3,1,1 "$@" \
        $([ -f "$out/recipe.json" ] && echo --resume)
}
learn detector-1 detector --set version=1 --set legs=22 --set learning_rate=3e-3 --set optimiser=adamw \
    --set depths=4,4,3 --set head=1 --set hard=1 --set defocused=0 --set landmark_weight=15
cp "$work/detector-1/model.safetensors" "$train/detector-1.safetensors"
learn detector-2 detector --set start=detector-1.safetensors
cp "$work/detector-2/model.safetensors" "$train/detector-2.safetensors"
learn detector detector --set start=detector-2.safetensors --set legs=3 --set learning_rate=5e-4 \
    --set empty=0.2

# 4. The judge, by the recipe `judge`: it begins with the detector's first layers and learns from
#    what the detector takes for faces when it is asked for everything. A quarter of an hour.
[ -f "$train/detector.onnx" ] || facegauge export "$work/detector" --out "$train/detector.onnx"
cp "$work/detector/model.safetensors" "$train/detector.safetensors"
learn judge judge --set detector=detector.onnx --set start=detector.safetensors --set seed=1 \
    --set backgrounds=backgrounds,others

# 5. Both in one file, and how it stands on photographs it never saw.
facegauge export "$work/judge" --out src/facegauge/models/detector.onnx
python benchmarks/detectors.py --data "$data"

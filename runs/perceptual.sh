#!/usr/bin/env bash
# The model `perceptual`, from clean faces to model file. Run it again after a kill: it goes on.
#
#   runs/perceptual.sh DATA START [WORK]
#
# DATA holds celeba_crops/ and .csv, utkface/ and .csv. START is the model.safetensors of the larger
# student of runs/utility.sh (WORK/ai-kd there): all networks begin with it, as from random weights
# they learn next to nothing in this time (docs/log.md). WORK (work/perceptual unless told) receives
# everything that is made on the way, some 2.5 GB of degraded pictures among it. About two hours on
# one free core: half an hour of labels, an hour and a half of training.
set -euo pipefail
data=$(realpath "$1")
start=$(realpath "$2")
work=${3:-work/perceptual}
mkdir -p "$work/data"
make() { # make NAME OPTIONS...: degraded pictures NAME/ and their table NAME.csv, once
    facegauge label full-reference --out "$work/data/$1.csv" --resume "${@:2}"
}

# 1. Clean faces: CelebA crops whose face has 90 pixels or more in the photograph, by person.
[ -f "$work/clean.csv" ] || awk -F, 'NR == 1 || $6 >= 90 { print $1 "," $2 "," $3 }' \
    "$data/celeba_crops.csv" >"$work/clean.csv"
crops=(--images "$data/celeba_crops" --identities "$work/clean.csv")

# 2. Labelled: two degraded versions a face, without WebP and motion blur, which the labels are never
#    to see. Training people teach, validation people choose; test people are not even opened.
make labels "${crops[@]}" --set versions=2 --set without=webp,motion --seed 1

# 3. Unlabelled: the halves of UTKFace, each face as it is and degraded once. They are not labelled
#    by measures, so one quick measure will do.
for half in a b; do
    if [ ! -d "$work/utkface_$half" ]; then
        mkdir -p "$work/utkface_$half.draft"
        awk -F, -v half="$half" '$2 == half { print $1 }' "$data/utkface.csv" |
            while read -r name; do ln -sfn "$data/utkface/$name" "$work/utkface_$half.draft/$name"; done
        mv "$work/utkface_$half.draft" "$work/utkface_$half"
    fi
    make "$half" --images "$work/utkface_$half" --set clean=1 --set versions=1 \
        --set without=webp,motion --set metrics=gmsd --seed 2
done

# 4. The population whose percentiles become scores: validation people, as they are and once
#    degraded, as for the model `utility`.
make reference "${crops[@]}" --set splits=validation --set clean=1 --set versions=1 \
    --set metrics=gmsd --seed 3

# 5. Teacher, self-training, student, and the student from labels alone to compare with. The teachers
#    see the crops at their own size.
cp -u "$start" "$work/data/start.safetensors"
facegauge train efficient-fiqa-small --data "$work/data" --out "$work/run" \
    --set teacher.network=edgenext_xx_small --set teacher.size=256 \
    --set teacher.weights=start.safetensors --set teacher.steps=100 --set plus_legs=4 \
    --set student.size=192 --set student.weights=start.safetensors --set student.steps=150 \
    --set data.labels=labels --set data.unlabelled_a=a --set data.unlabelled_b=b \
    --set data.reference=reference $([ -f "$work/run/recipe.json" ] && echo --resume)

# 6. Each network as a file, for the table.
for network in teacher teacher-plus alone student; do
    [ -f "$work/$network.onnx" ] || facegauge export "$work/run/$network" \
        --set name="$network" --out "$work/$network.onnx"
done

# 7. People nobody has learned from or chosen on: agreement with the labels of their degraded crops,
#    and how scores follow severity, kind by kind, WebP and motion blur among them.
make test "${crops[@]}" --set splits=test --set versions=2 --set without=webp,motion --seed 4
head -n 1 "$work/clean.csv" >"$work/few.csv"
grep ',test$' "$work/clean.csv" | awk 'NR % 8 == 0' >>"$work/few.csv"
make ladder --images "$data/celeba_crops" --identities "$work/few.csv" --set splits=test \
    --set ladder=5 --set metrics=gmsd --seed 5
python benchmarks/efficient.py agreement --data "$work/data" --labels test --ladder ladder \
    "$work"/{teacher,teacher-plus,alone,student}.onnx | tee "$work/table.md"

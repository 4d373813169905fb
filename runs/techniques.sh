#!/usr/bin/env bash
# Every technique on people nobody trained on, as labels and as trained networks, in one report.
#
#   runs/techniques.sh DATA [WORK]
#
# DATA holds celeba_crops/, celeba_crops.csv and recognisers/. WORK (work/ unless told) keeps what
# runs/evaluate.sh needs in WORK/evaluation and the rest in WORK/techniques. What is there already is
# not made again, so a stopped run goes on. On two cores about four hours, of which the techniques'
# gradients and diffusion take three.
set -euo pipefail
data=$(realpath "$1")
work=$(realpath -m "${2:-work}")
people="$work/evaluation"
out="$work/techniques"
y1="$people/insightface_y1.onnx"
foamliu="$people/foamliu.onnx"
[ -f "$people/foamliu.npz" ] || runs/evaluate.sh "$data" "$work"
mkdir -p "$out/data" "$out/runs" "$out/scores"

# 1. A data folder to train in: the crops, and a recogniser's weights to begin with.
ln -sfn "$data/celeba_crops" "$out/data/celeba_crops"
ln -sfn "$data/celeba_crops.csv" "$out/data/celeba_crops.csv"
cp -u "$data/recognisers/mobilefacenet_foamliu_state_dict.pt" "$out/data/foamliu.pt"
start="--set start=foamliu.pt --set network=mobilefacenet-foamliu --set width=128 --set precision=32-true"
start="$start --set average=.98 --set steps=50"

# 2. The networks: small runs that show the road, not the published ones.
trained() {
    name=$1
    shift
    grep -qs '"complete": true' "$out/runs/$name/run.json" && return
    facegauge train "$name" --data "$out/data" --out "$out/runs/$name" "$@" \
        $([ -d "$out/runs/$name" ] && echo --resume)
}
labelled() {  # of people that are no test people: TABLE TECHNIQUE OPTIONS
    [ -f "$out/data/$1.csv" ] && return
    facegauge label "$2" --images "$data/celeba_crops" --recogniser "$y1" \
        --landmarks "$out/learned.csv" --identities "$out/learned.csv" \
        --out "$out/data/$1.csv" --resume "${@:3}" 2> "$out/$1.log"
}
python - "$data/celeba_crops.csv" "$out" <<'PYTHON'
import csv, sys
from pathlib import Path

with open(sys.argv[1], newline="") as file:
    rows = [row for row in csv.DictReader(file) if row["split"] != "test"]
for name, chosen in (("learned", rows), ("fewer", rows[::16])):
    with (Path(sys.argv[2]) / f"{name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(chosen)
PYTHON
trained difiqa --set tables=celeba_crops --set batch=8 --set dim=16 --set legs=8 --set steps=150 \
    --set learning_rate=1e-3 --set average=.99
for name in cr-fiqa magface; do
    trained "$name" $start --set batch=32 --set legs=6 --set learning_rate=1e-3
done
for name in sdd-fiqa faceqnet; do
    labelled "$name" "$name"
    trained "$name" $start --set "labels=$name.csv" --set batch=32 --set legs=3 \
        --set learning_rate=1e-3 --set head_rate=10
done
if [ ! -f "$out/data/difiqa.csv" ]; then
    facegauge label difiqa --images "$data/celeba_crops" --recogniser "$y1" --resume \
        --landmarks "$out/fewer.csv" --diffusion "$out/runs/difiqa" --set repeats=1 \
        --out "$out/data/difiqa.csv" 2> "$out/difiqa.log"
fi
trained difiqa-r $start --set labels=difiqa.csv --set batch=32 --set legs=2 --set trained=100 \
    --set learning_rate=1e-3 --set head_rate=10

# 3. What the techniques say of the test people, with the first recogniser and, quicker ones, with both.
# The probe is learned on other people.
python benchmarks/techniques.py --data "$data" --split test --count 1220 --recognisers "$y1" \
    --techniques ser-fiq faceqan sdd-fiqa faceqnet cr-fiqa difiqa norm \
    --diffusion "$out/runs/difiqa" --set difiqa:repeats=1 --write "$out/labels" > "$out/y1.md"
python benchmarks/techniques.py --data "$data" --split test --count 1220 \
    --recognisers "$y1" "$foamliu" --techniques ser-fiq sdd-fiqa faceqnet cr-fiqa norm \
    --write "$out/labels" > "$out/both.md"
for recogniser in "$y1" "$foamliu"; do
    probe="$out/probe-$(basename "$recogniser" .onnx).csv"
    [ -f "$probe" ] || facegauge label probe --images "$data/celeba_crops" --recogniser "$recogniser" \
        --landmarks "$data/celeba_crops.csv" --identities "$out/learned.csv" --out "$probe"
    python - "$probe" "$people/people.csv" "$out/scores" <<'PYTHON'
import csv, sys
from pathlib import Path

table, people, scores = map(Path, sys.argv[1:])
test = {row["path"] for row in csv.DictReader(people.open(newline=""))}
with (scores / table.name).open("w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(("path", "score"))
    rows = csv.DictReader(table.open(newline=""))
    writer.writerows((row["path"], row["label"]) for row in rows if row["path"] in test)
PYTHON
done
for name in cr-fiqa magface sdd-fiqa faceqnet difiqa-r; do
    [ -f "$out/runs/$name.onnx" ] || facegauge export "$out/runs/$name" --out "$out/runs/$name.onnx" \
        --set "name=$name-trained"
    rm -f "$out/scores/$name-trained.csv"
    facegauge score "$people/test" --model "$out/runs/$name.onnx" --input crop \
        --landmarks "$people/people.csv" --out "$out/scores/$name-trained.csv"
done

# 4. One report. The labels that compare people know who is who, which no score does.
rm -rf "$out/report"
facegauge evaluate edc --scores "$people/utility.csv" \
    $(for table in "$out"/scores/*.csv "$out"/labels/*-insightface_y1.csv; do echo --scores "$table"; done) \
    --embeddings "$people/insightface_y1.npz" --embeddings "$people/foamliu.npz" \
    --identities "$people/people.csv" --name "60 test people of celeba_crops" \
    --images "$people/test" --out "$out/report"

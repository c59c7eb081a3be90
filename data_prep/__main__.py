import argparse, sys
from pathlib import Path
from data_prep.errors import PrepError
from data_prep import mnist
from data_prep.paths import data_dir
p=argparse.ArgumentParser(); p.add_argument("step"); p.add_argument("--source",type=Path); p.add_argument("--dest",type=Path)
a=p.parse_args()
try:
    dest=(a.dest or data_dir())/"mnist"; dest.mkdir(parents=True,exist_ok=True)
    for part in mnist.PARTS:
        (dest/part.name).write_bytes(mnist.read_part(mnist.find_part(a.source,part),part)[0])
except PrepError as e:
    sys.exit(str(e))

#!/usr/bin/env bash
# frameworks.sh FOLDER [torch] [tf] [mxnet] [keras3] [keras1]
#
# Builds isolated Python environments of the real frameworks below FOLDER (FOLDER/torch/bin/python and so on), at the versions that
# pins/ lists, from PyPI. They make the fixtures and run what Drover converts; Drover itself needs no Python.
# Needs Python 3.10 (mxnet), 3.11 (torch, tf), 3.12 (keras3) and 3.6 (keras1, for fixtures only), from pyenv or the PATH, and gcc and
# binutils for torch.
set -euo pipefail

pins=$(cd "$(dirname "$0")" && pwd)
folder=${1:?usage: frameworks.sh FOLDER [torch] [tf] [mxnet] [keras3] [keras1]}
shift
[ $# -gt 0 ] || set -- torch tf mxnet
mkdir -p "$folder"
cd "$folder"

if [ ! -x uv/bin/uv ]; then
  python3 -m venv uv
  uv/bin/pip install --quiet uv==0.13.8
fi

python_at() { # the newest pyenv build of a minor version, else what the PATH has
  local found
  found=$(ls -d "$(pyenv root 2>/dev/null || true)/versions/$1".*/bin/python 2>/dev/null | tail -n 1 || true)
  echo "${found:-python$1}"
}

environment() { # environment NAME PYTHON: a fresh environment holding exactly pins/NAME.txt
  rm -rf "$1"
  uv/bin/uv venv --quiet --python "$(python_at "$2")" "$1"
  # --no-deps: the lists are complete, and resolving them would pull gigabytes (CUDA, JAX, decision forests) that nothing here uses.
  uv/bin/uv pip install --quiet --no-deps --python "$1/bin/python" -r "$pins/pins/$1.txt"
}

for framework in "$@"; do
  case $framework in
    torch)
      environment torch 3.11
      python3 "$pins/torch_without_cuda.py" torch/lib/python3.11/site-packages
      ;;
    tf)
      environment tf 3.11
      site=tf/lib/python3.11/site-packages # tensorflowjs imports these two and calls neither here
      mkdir -p "$site/tensorflow_decision_forests" "$site/jax/experimental"
      touch "$site/tensorflow_decision_forests/__init__.py" "$site/jax/__init__.py"
      touch "$site/jax/experimental/__init__.py" "$site/jax/experimental/jax2tf.py"
      ;;
    mxnet)
      for library in libgomp.so.1 libopenblas.so.0 libgfortran.so.5; do
        ldconfig -p | grep -q "$library" || echo "mxnet needs $library (Debian: libgomp1 libopenblas0 libgfortran5)" >&2
      done
      environment mxnet 3.10
      ;;
    keras3)
      environment keras3 3.12
      ;;
    keras1) # uv knows no Python as old
      rm -rf keras1
      "$(python_at 3.6)" -m venv keras1
      keras1/bin/pip install --quiet --no-deps -r "$pins/pins/keras1.txt"
      ;;
    *)
      echo "unknown framework: $framework" >&2
      exit 2
      ;;
  esac
  echo "$framework: $folder/$framework/bin/python"
done

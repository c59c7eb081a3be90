"""What importing `helpers` promises: torchvision works, and torch is not loaded early."""

import subprocess
import sys


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_torchvision_works_after_helpers():
    done = run_python(
        "import helpers, torch, torchvision\n"
        "from torchvision.transforms import v2\n"
        "image = torch.zeros(1, 4, 4)\n"
        "print(tuple(torchvision.utils.make_grid([image, image], padding=0).shape))"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(3, 4, 8)"


def test_helpers_alone_does_not_import_torch():
    done = run_python("import helpers, sys; print('torch' in sys.modules)")
    assert done.stdout.strip() == "False", done.stderr

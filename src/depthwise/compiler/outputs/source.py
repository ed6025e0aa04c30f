"""The folder of C that target "source" writes: the network, a small program around it, and how to build it."""

from __future__ import annotations

from pathlib import Path

from depthwise.files import write_folder
from depthwise.kernels.headers import headers, included
from depthwise.places import Kind, beginning, names
from depthwise.precision import PRECISIONS, Precision

MAIN = r"""/* main.c: checks the network, then labels one picture.
 *
 * Usage: model [PICTURE], a binary PPM file ("P6", 8 bits), or PGM ("P5") for a grey network. */
#include "depthwise.h"

#include <stdio.h>
#include <stdlib.h>

MEMORY_OF_ITS_OWN
static int fail(const char *text)
{
    fprintf(stderr, "error: %s\n", text);
    return 2;
}

/* Where the artifact does not prepare frames, those of the network's own size. */
static int32_t classify(const unsigned char *frame, int32_t height, int32_t width, float *probabilities)
{
    int64_t pitch = (int64_t)width * dw_input_channels();
    int32_t status = dw_classify(frame, height, width, pitch, probabilities, MEMORY);
    if (status == DW_LEFT_OUT && height == dw_input_height() && width == dw_input_width()) {
        status = dw_run(frame, probabilities, MEMORY);
    }
    return status;
}

static int label(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return fail("the picture cannot be opened");
    }
    int channels = dw_input_channels();
    int width, height, largest;
    char kind;
    if (fscanf(file, "P%c %d %d %d", &kind, &width, &height, &largest) != 4 || kind != (channels == 1 ? '5' : '6') ||
        fgetc(file) == EOF || largest != 255 || width < 1 || height < 1 || width > DW_LONGEST_SIDE ||
        height > DW_LONGEST_SIDE) {
        fclose(file);
        return fail("the picture is not a PPM (or, for a grey network, PGM) file of 8 bits");
    }
    size_t bytes = (size_t)width * (size_t)height * (size_t)channels;
    unsigned char *frame = malloc(bytes);
    float *probabilities = malloc((size_t)dw_label_count() * sizeof(float));
    int code = 0;
    if (frame == NULL || probabilities == NULL || fread(frame, 1, bytes, file) != bytes) {
        code = fail("the picture is cut off, or too large for the memory");
    } else if (classify(frame, height, width, probabilities) != DW_OK) {
        code = fail("the picture cannot be classified");
    } else {
        int best = 0;
        for (int i = 1; i < dw_label_count(); i++) {
            best = probabilities[i] > probabilities[best] ? i : best;
        }
        printf("%s %.4f\n", dw_label(best), (double)probabilities[best]);
    }
    fclose(file);
    free(frame);
    free(probabilities);
    return code;
}

int main(int count, char **arguments)
{
    float worst;
    if (dw_verify(&worst, MEMORY) != DW_OK) {
        fprintf(stderr, "error: the golden cases differ by %g\n", (double)worst);
        return 1;
    }
    return count > 1 ? label(arguments[1]) : 0;
}
"""

README = """# A network as C

`depthwise.h` says how to call it, `model.c` is the network, `weights.c` its constants; the headers are its kernels.

    cc -std=c11 -O3 CONTRACT -march=native -o model main.c model.c weights.c
    ./model            # checks the golden cases: silent when they hold
    ./model photo.ppm  # labels a picture

It needs nothing but gcc or clang, or another C11 compiler with their vector extension and, for x86, their assembly and
`immintrin.h`.
`weights.c` takes the longest to compile. For a small program take `-Os -DDWK_CALLED`: kernels are then called, and not
put into each layer.
"""


# What a folder holds beside headers.
_OWN = ("model.c", "weights.c", "main.c", "README.md")


def _is_source(folder: Path) -> bool:
    """Whether a folder holds what `source_folder` writes, of any network, and nothing else."""
    found = names(folder)
    whole = set(_OWN) <= found <= {*_OWN, *headers()}
    return whole and b"Written by depthwise" in beginning(folder / "model.c")


SOURCE = Kind(name="a folder of C that depthwise wrote", is_one=_is_source, folder=True)


def main_c(memory: int = 0) -> str:
    """The program around the network.

    Args:
        memory: bytes that it has to bring, where the artifact has none of its own.
    """
    own = f"static _Alignas(64) unsigned char arena[{memory}];\n#define MEMORY arena\n"
    nothing = "/* The artifact's own. */\n#define MEMORY NULL\n"
    return MAIN.replace("MEMORY_OF_ITS_OWN\n", own if memory else nothing)


def source_folder(model_c: str, weights_c: str, precision: Precision, out: Path, *, memory: int = 0) -> int:
    """Write the folder; returns the bytes of all its files.

    Args:
        memory: as in `main_c`.
    Raises: Refused, when it cannot be written or holds other files.
    """
    files = {
        **included(model_c),
        "model.c": model_c.encode(),
        "weights.c": weights_c.encode(),
        "main.c": main_c(memory).encode(),
        "README.md": README.replace("CONTRACT", PRECISIONS[precision].contract).encode(),
    }
    write_folder(out, files, SOURCE)
    return sum(map(len, files.values()))

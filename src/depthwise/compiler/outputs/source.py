"""The folder of C of a network, a small program around it, and how to build it."""

from __future__ import annotations

from pathlib import Path

from depthwise.compiler.outputs.code import MODEL, Code, flags_of
from depthwise.compiler.outputs.compilers import work_folder
from depthwise.compiler.outputs.constants import emit_weights
from depthwise.compiler.outputs.program import MAIN
from depthwise.files import write_folder
from depthwise.kernels.headers import CPP, INTERFACE, headers, included
from depthwise.places import Kind, beginning, names
from depthwise.precision import PRECISIONS

README = """# A network as C

`depthwise.h` says how to call it, `model.c` is the network, `weights.c` its constants; the headers are its kernels.

    COMMANDS
    ./model            # checks the golden cases: silent when they hold
    ./model photo.ppm  # labels a picture; main.c says what else it takes

With CMake it is a package for others to find:

    cmake -B build -DCMAKE_INSTALL_PREFIX=PLACE && cmake --build build && cmake --install build

and in a project that is configured with `-DCMAKE_PREFIX_PATH=PLACE`:

    find_package(depthwise_model REQUIRED)
    target_link_libraries(app PRIVATE depthwise_model::depthwise_model)

It needs nothing but gcc or clang, or another C11 compiler with their vector extension and, for x86, their assembly and
`immintrin.h`.
`weights.c` takes the longest to compile. For a small program take `-Os -DDWK_CALLED`: kernels are then called, and not
put into each layer.
"""


CMAKE = """# Builds the network as a static library, and the program of main.c; `find_package` finds what it installs.
cmake_minimum_required(VERSION 3.16)
# Another name keeps two networks apart, which one program can still not link both.
set(DEPTHWISE_NAME depthwise_model CACHE STRING "name of the package and the library")
option(DEPTHWISE_NATIVE "use all that the processor of this machine has" OFF)
project(${DEPTHWISE_NAME} VERSION 1.0.0 LANGUAGES C)
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O3")

add_library(${PROJECT_NAME} STATIC SOURCES weights.c)
add_library(${PROJECT_NAME}::${PROJECT_NAME} ALIAS ${PROJECT_NAME})
set_target_properties(${PROJECT_NAME} PROPERTIES
  C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
target_compile_options(${PROJECT_NAME} PRIVATE OPTIONS $<$<BOOL:${DEPTHWISE_NATIVE}>:-march=native>)
OF_LEVELStarget_include_directories(${PROJECT_NAME} PUBLIC
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/${PROJECT_NAME}>)

add_executable(${PROJECT_NAME}-program main.c)
target_link_libraries(${PROJECT_NAME}-program PRIVATE ${PROJECT_NAME})

set(DEPTHWISE_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/${PROJECT_NAME})
write_basic_package_version_file(${PROJECT_NAME}ConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(TARGETS ${PROJECT_NAME} EXPORT ${PROJECT_NAME} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES depthwise.h depthwise.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${PROJECT_NAME})
install(EXPORT ${PROJECT_NAME} FILE ${PROJECT_NAME}Config.cmake NAMESPACE ${PROJECT_NAME}::
  DESTINATION ${DEPTHWISE_PACKAGE})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${PROJECT_NAME}ConfigVersion.cmake DESTINATION ${DEPTHWISE_PACKAGE})
"""

# What a folder holds beside headers and the files of levels.
_OWN = (MODEL, "weights.c", "main.c", "README.md")
_MORE = ("CMakeLists.txt", CPP.name)


def _is_source(folder: Path) -> bool:
    """Whether a folder holds what `source_folder` writes, of any network, and nothing else."""
    found = {name for name in names(folder) if not (name.startswith("level-") and name.endswith(".c"))}
    whole = set(_OWN) <= found <= {*_OWN, *_MORE, *headers()}
    return whole and b"Written by depthwise" in beginning(folder / MODEL)


SOURCE = Kind(name="a folder of C that depthwise wrote", is_one=_is_source, folder=True)


def source_folder(code: Code, out: Path) -> int:
    """Write the folder; returns the bytes of all its files.

    Raises: Refused, when it cannot be written or holds other files.
    """
    texts = {**code.texts, "main.c": MAIN, "README.md": _readme(code), "CMakeLists.txt": _cmake(code)}
    files = {name: content for text in code.texts.values() for name, content in included(text).items()}
    files |= {path.name: path.read_bytes() for path in (INTERFACE, CPP)}
    files |= {name: text.encode() for name, text in texts.items()}
    with work_folder() as folder:
        weights = folder / "weights.c"
        with weights.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(emit_weights(code.packed))
        write_folder(out, {**files, weights.name: weights}, SOURCE)
        return weights.stat().st_size + sum(map(len, files.values()))


def _flags(code: Code) -> dict[str, str]:
    """What a compiler is told of the processor, by file of the network."""
    return {name: " ".join(flags_of(row)) for name, row in code.rows.items()}


def _readme(code: Code) -> str:
    """How to build it without CMake: a command for the files of each level, then one for the rest."""
    usual = f"cc -std=c11 -O3 {PRECISIONS[code.precision].contract}"
    flags, units = _flags(code), list(code.texts)
    commands = [f"{usual} {flags[name]} -c {name}" for name in units[1:]]
    objects = " ".join(name.replace(".c", ".o") for name in units[1:])
    # For no processor in particular: whoever builds it mostly wants it for the machine that it is built on.
    own = flags[MODEL] if code.row.system or code.row.machine is None else "-march=native"
    last = f"{usual} {own} -o model main.c model.c weights.c {objects}"
    return README.replace("COMMANDS", "\n    ".join(" ".join(line.split()) for line in (*commands, last)))


def _cmake(code: Code) -> str:
    flags = _flags(code)
    levels = [f'set_source_files_properties({name} PROPERTIES COMPILE_OPTIONS "{flags[name].replace(" ", ";")}")\n'
              for name in code.texts if flags[name]]  # fmt: skip
    text = CMAKE.replace("SOURCES", " ".join(code.texts)).replace(
        "OPTIONS $<", f"{PRECISIONS[code.precision].contract} $<"
    )
    return text.replace("OF_LEVELS", "".join(levels))

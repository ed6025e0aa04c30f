"""Images a second of NVIDIA's own runtime, where it is installed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from depthwise.network.spec import Spec
from gpu.models import random_int8


def add_tensorrt(ways: dict[str, Callable[[], object]], spec: Spec, batch: int) -> list[str]:
    """Add TensorRT's answers, int8 from the ONNX file with Q and DQ that we write; what is said where it cannot be."""
    try:
        ways["TensorRT, int8"] = tensorrt_of(spec, batch)
    except ImportError as missing:
        return [f"TensorRT is left out: {missing.name} is not installed; run: pip install tensorrt"]
    except RuntimeError as problem:
        return [f"TensorRT is left out: {problem}"]
    return []


def tensorrt_of(spec: Spec, batch: int) -> Callable[[], object]:
    """An engine of the quantised network.

    Raises: ImportError, without TensorRT; RuntimeError, where it takes the file not.
    """
    import tensorrt as trt

    from depthwise.interop.formats import write

    with tempfile.TemporaryDirectory() as folder:
        write(random_int8(spec), Path(folder) / "int8.onnx")
        content = (Path(folder) / "int8.onnx").read_bytes()
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(content):
        raise RuntimeError(str(parser.get_error(0)))
    config, profile = builder.create_builder_config(), builder.create_optimization_profile()
    shape = (batch, spec.channels, spec.resolution, spec.resolution)
    profile.set_shape(network.get_input(0).name, shape, shape, shape)
    config.add_optimization_profile(profile)
    engine = trt.Runtime(logger).deserialize_cuda_engine(builder.build_serialized_network(network, config))
    context = engine.create_execution_context()
    x = torch.randn(shape, device="cuda")
    out = torch.empty((batch, spec.classes), device="cuda")
    context.set_input_shape(network.get_input(0).name, shape)
    context.set_tensor_address(network.get_input(0).name, x.data_ptr())
    context.set_tensor_address(network.get_output(0).name, out.data_ptr())
    return lambda: context.execute_async_v3(torch.cuda.current_stream().cuda_stream)

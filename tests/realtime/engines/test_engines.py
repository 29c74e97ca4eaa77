"""Every engine says what PyTorch says; `auto` takes the best that works, and tells why it is not a better one."""

from __future__ import annotations

import shutil
from functools import partial

import numpy as np
import onnxruntime
import pytest

from expression.bundle import INPUT_NAME, INT8_FILE, ONNX_FILE, OUTPUT_NAME, TORCH_FILE, Bundle, BundleRecord
from expression.clip_input import ClipRecipe
from expression.errors import BadInput
from realtime.engines import EngineUnavailable, choose_engine
from realtime.engines.choice import ready
from realtime.engines.half_precision import in_half_precision
from realtime.engines.onnxruntime_engine import OnnxRuntimeEngine, gpu_providers
from realtime.engines.openvino_engine import OpenVinoEngine
from realtime.engines.tensorrt_engine import TensorRtEngine
from realtime.engines.torch_engine import TorchEngine
from realtime.lab_default import DEFAULT_MODEL

RECIPE = ClipRecipe(size_px=32, crop_px=32, channels="flow")
FLOAT32, BFLOAT16, FLOAT16 = 1e-4, 3e-2, 1e-2
"""Largest difference of outputs from PyTorch's, as a share of the largest output."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network of I3D's parts, small, whose outputs follow the clip as those of a trained one do; and its bundle."""
    import torch
    from torch import nn

    from training.export import write_onnx, write_program
    from training.models.i3d import Inception, SamePool3d, Unit3D
    from training.recipe import PRESETS

    torch.manual_seed(4)
    parts = [
        Unit3D(RECIPE.channel_count, 8, (7, 7, 7), (2, 2, 2)),
        SamePool3d((1, 3, 3), (1, 2, 2)),
        Inception(8, (8, 8, 8, 8, 8, 8)),
    ]
    network = nn.Sequential(*parts, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(32, 7))
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm3d):
            layer.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.from_numpy(np.stack(clips(RECIPE.shape, 8))))
    network.eval()
    recipe = PRESETS["small"].changed(size_px=RECIPE.size_px, crop_px=RECIPE.crop_px, channels=RECIPE.channels)
    folder = tmp_path_factory.mktemp("bundle")
    write_onnx(network, recipe, folder / ONNX_FILE)
    write_program(network, recipe, folder / TORCH_FILE)
    return network, Bundle.seal(folder, BundleRecord(name="small", recipe=RECIPE))


@pytest.fixture
def bundle(trained, tmp_path):
    """A copy of the bundle that a test may damage, and seal again."""
    shutil.copytree(trained[1].path, tmp_path / "bundle")
    return Bundle.open(tmp_path / "bundle")


def clips(shape, count=4):
    rng = np.random.default_rng(8)
    return [(rng.normal(0, 1, shape) * (1 + number)).astype(np.float32) for number in range(count)]


def worst(engine, network, shape):
    """The largest difference, as a share of the largest output."""
    import torch

    batch = np.stack(clips(shape))
    with torch.no_grad():
        wanted = network(torch.from_numpy(batch)).numpy()
    got = np.stack([engine.infer(clip) for clip in batch])
    assert np.ptp(wanted, axis=0).max() > BFLOAT16 * np.abs(wanted).max(), "the clips must differ for the network"
    return np.abs(got - wanted).max() / np.abs(wanted).max()


@pytest.mark.parametrize(
    ("make", "tolerance"),
    [
        pytest.param(partial(OpenVinoEngine, precision="f32"), FLOAT32, id="openvino-f32"),
        pytest.param(partial(OpenVinoEngine, precision="bf16"), BFLOAT16, id="openvino-bf16"),
        pytest.param(partial(OnnxRuntimeEngine, providers=("CPUExecutionProvider",)), FLOAT32, id="onnxruntime-cpu"),
        pytest.param(
            lambda bundle: OnnxRuntimeEngine(bundle, providers=gpu_providers()), FLOAT16, id="onnxruntime-gpu"
        ),
        pytest.param(TorchEngine, FLOAT32, id="torch"),
        pytest.param(TensorRtEngine, FLOAT16, id="tensorrt"),
    ],
)
def test_an_engine_says_what_pytorch_says(trained, make, tolerance):
    network, bundle = trained
    try:
        engine = ready(bundle, lambda: make(bundle))
    except EngineUnavailable as error:
        pytest.skip(str(error))
    assert worst(engine, network, RECIPE.shape) < tolerance


def test_a_network_in_half_precision_says_nearly_the_same_and_is_half_as_large(trained):
    """What TensorRT is given; here ONNX Runtime runs it."""
    network, bundle = trained
    narrow = in_half_precision(bundle.network())
    assert len(narrow) < 0.7 * bundle.network().stat().st_size
    session = onnxruntime.InferenceSession(narrow, providers=["CPUExecutionProvider"])

    class Narrow:
        def infer(self, clip):
            (logits,) = session.run([OUTPUT_NAME], {INPUT_NAME: clip[None]})
            assert logits.dtype == np.float32
            return logits[0]

    assert 0 < worst(Narrow(), network, RECIPE.shape) < FLOAT16


def test_the_processors_engines_are_there_on_every_machine(trained):
    for name in ("openvino", "onnxruntime", "torch"):
        choice = choose_engine(trained[1], name)
        assert choice.engine.name == name
        assert choice.reason.endswith("as asked for")


def test_int8_names_the_classes_of_float32():
    """On movements as faces make them: a patch that moves up and back."""
    bundle = Bundle.open(DEFAULT_MODEL)
    channels, frames, side, _ = bundle.record.recipe.shape
    y, x = np.mgrid[:side, :side] / side
    rng = np.random.default_rng(2)
    course = np.sin(np.linspace(0, np.pi, frames))[None, :, None, None]
    precise, quantised = (OpenVinoEngine(bundle, precision=kind) for kind in ("f32", "int8"))
    assert "INT8" in quantised.reason
    assert "float32" in precise.reason
    agree = 0
    for _ in range(40):
        middle, wide = rng.uniform(0.2, 0.8, 2), rng.uniform(0.05, 0.15)
        patch = np.exp(-((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (2 * wide**2))
        direction = rng.normal(0, 1, channels)[:, None, None, None]
        clip = (direction * course * patch + rng.normal(0, 0.05, (channels, frames, side, side))).astype(np.float32)
        agree += bool(precise.infer(clip).argmax() == quantised.infer(clip).argmax())
    assert agree >= 36


def test_auto_tells_what_it_took_and_what_was_not_to_be_had(bundle):
    choice = choose_engine(bundle)
    if choice.engine.name != "openvino":
        pytest.skip("a graphics card is at hand")
    assert choice.reason.startswith("OpenVINO")
    assert any(kind in choice.reason for kind in ("bfloat16", "float32"))
    assert "tensorrt" in choice.reason


def test_auto_goes_on_to_the_next_where_an_engine_cannot_load_the_network(bundle):
    (bundle.path / INT8_FILE).write_bytes(b"no network")
    broken = Bundle.seal(bundle.path, bundle.record)
    choice = choose_engine(broken)
    if choice.engine.name == "tensorrt":
        pytest.skip("a graphics card is at hand")
    assert choice.engine.name == "onnxruntime"
    assert "openvino cannot load" in choice.reason
    with pytest.raises(EngineUnavailable, match="openvino cannot load"):
        choose_engine(broken, "openvino")


def test_auto_passes_over_what_has_failed_before(bundle):
    choice = choose_engine(bundle, without=("tensorrt", "openvino", "onnxruntime"))
    assert choice.engine.name == "torch"
    with pytest.raises(EngineUnavailable, match="none is left"):
        choose_engine(bundle, without=("tensorrt", "openvino", "onnxruntime", "torch"))


def test_a_network_that_no_engine_can_load_is_refused_with_every_reason(bundle):
    (bundle.path / ONNX_FILE).write_bytes(b"no network")
    (bundle.path / TORCH_FILE).unlink()
    with pytest.raises(EngineUnavailable) as refusal:
        choose_engine(Bundle.seal(bundle.path, bundle.record))
    for name in ("openvino cannot load", "onnxruntime cannot load", "torch needs model.pt2"):
        assert name in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime", "torch"])
def test_an_engine_that_fails_at_its_first_clip_is_none(bundle, engine):
    """The record promises clips and classes that the network does not have."""
    wrong = Bundle.seal(
        bundle.path,
        BundleRecord(name="wrong", recipe=ClipRecipe(size_px=64, crop_px=64, channels="rgb"), labels=("anger", "fear")),
    )
    with pytest.raises(EngineUnavailable, match=engine) as refusal:
        choose_engine(wrong, engine)
    assert "\n" not in str(refusal.value)


def test_there_is_no_engine_of_another_name(bundle):
    with pytest.raises(BadInput, match="steam"):
        choose_engine(bundle, "steam")

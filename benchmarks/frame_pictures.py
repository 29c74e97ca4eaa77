"""What a numbered frame costs on its way to a browser, and whether a page shows the frame that it asked for.

    python -m benchmarks.frame_pictures [--folder DIR] [--frames 400] [--browser chromium]

Prints one JSON line. A recording of noisy 1024x768 frames at 500 frames a second is written first, each with its number
in blocks, and the same frames as an H.264 video.

- `jpeg_cpu_ms`, `jpeg_face_cpu_ms`, `png_cpu_ms`: processor time of reading and encoding one frame, whole or a region
  of 512x512, on one core; `jpeg_kib` is its size. `video_cpu_ms` is that of encoding one frame of the video.
- `http_ms`: from the request to the last byte over loopback, median and 99th percentile, one request after another.
- `step_ms`: in the browser, from a step by one frame to its pixels on the canvas, median and 99th percentile of 300
  steps as fast as they come; `jump_ms` the same for places nowhere near. `wrong` counts frames on the canvas that were
  not the one asked for.
- `video_wrong`: the same places asked of a video element by the time of the middle of each frame; `video_seek_ms` is
  how long it took. `video_wrong_start`: asked for by the time at which the frame begins.
"""

from __future__ import annotations

import argparse
import json
import mmap
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import google_crc32c
import httpx
import numpy as np
from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse

from capture.recording.frame_pictures import FramePictures
from capture.recording.layout import FORMAT_VERSION, ShardGeometry
from capture.recording.writer import RecordingWriter
from capture.web import WebServer, checked_address, frames_router, serve_shared

RATE = 500
BITS = 12
BLOCK_PX = 32
SCRIPT = """
import { FrameViewer } from "/shared/frame_viewer.js";
const info = await (await fetch("/frames/clip")).json();
const canvas = document.querySelector("canvas");
const viewer = new FrameViewer(canvas, {
  url: (i) => `/frames/clip/${i}.jpg?v=${info.version}`, count: info.count, rateFps: info.rate_fps,
  width: info.width_px, height: info.height_px,
});
window.viewer = viewer;
const video = document.querySelector("video");
const copy = Object.assign(document.createElement("canvas"), { width: info.width_px, height: info.height_px });
const number = (context, scale, x, y) => {
  let n = 0;
  for (let bit = 0; bit < BITS; bit += 1) {
    const at = [x + (bit + 0.5) * BLOCK * scale, y + 0.5 * BLOCK * scale];
    n = n * 2 + (context.getImageData(at[0], at[1], 1, 1).data[0] > 128 ? 1 : 0);
  }
  return n;
};
window.onCanvas = () => number(canvas.getContext("2d"), viewer.view.scale, viewer.view.x, viewer.view.y);
window.go = async (frames, relative) => {
  const times = [];
  let wrong = 0;
  for (const frame of frames) {
    const began = performance.now();
    await (relative ? viewer.step(frame - viewer.cursor) : viewer.seek(frame));
    times.push(performance.now() - began);
    if (onCanvas() !== frame || viewer.frame !== frame) wrong += 1;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return { times, wrong };
};
window.seekVideo = async (frames, within) => {
  const times = [];
  let wrong = 0;
  const context = copy.getContext("2d", { willReadFrequently: true });
  for (const frame of frames) {
    const began = performance.now();
    await new Promise((resolve) => {
      video.onseeked = resolve;
      video.currentTime = (frame + within) / info.rate_fps;
    });
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    times.push(performance.now() - began);
    context.drawImage(video, 0, 0, copy.width, copy.height);
    if (number(context, 1, 0, 0) !== frame) wrong += 1;
  }
  return { times, wrong };
};
window.ready = true;
""".replace("BITS", str(BITS)).replace("BLOCK", str(BLOCK_PX))


def frame_of(number: int, texture: np.ndarray) -> np.ndarray:
    """Noise that moves, with the number's bits in blocks at the upper left."""
    frame = np.roll(texture, number * 3, axis=1)
    frame[:BLOCK_PX, : BITS * BLOCK_PX] = 0
    for bit in range(BITS):
        if number >> (BITS - 1 - bit) & 1:
            frame[:BLOCK_PX, bit * BLOCK_PX : (bit + 1) * BLOCK_PX] = 255
    return frame


def make(folder: Path, count: int) -> tuple[Path, Path, float]:
    """The recording, the video, and the processor time that a frame of the video took, in milliseconds."""
    geometry = ShardGeometry(768, 1024)
    rng = np.random.default_rng(1)
    coarse = rng.integers(40, 210, (24, 32)).astype(np.float32)
    texture = np.kron(coarse, np.ones((32, 32), np.float32)) + rng.normal(0, 6, (768, 1024))
    texture = np.clip(texture, 0, 255).astype(np.uint8)
    attributes = {"format": FORMAT_VERSION, "rate_fps": float(RATE), "height_px": 768, "width_px": 1024}
    path = folder / "clip.zarr"
    writer = RecordingWriter(path, geometry, flush_frames=100, attributes={**attributes, "state": "recording"})
    memory = mmap.mmap(-1, geometry.stride)
    slot = np.frombuffer(memory, np.uint8)
    film = folder / "clip.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = 1024, 768, "yuv420p"
        encoding_s = 0.0
        for number in range(count):
            frame = frame_of(number, texture)
            slot[: geometry.frame_bytes] = frame.reshape(-1)
            writer.append(
                slot.data.cast("B"),
                {
                    "frame_id": np.array([number], np.uint64),
                    "device_ns": np.array([number * 2_000_000 + 1], np.uint64),
                    "host_ns": np.array([number * 2_000_000 + 1], np.uint64),
                    "crc32c": [google_crc32c.value(frame.tobytes())],
                },
            )
            began = time.process_time()
            picture = av.VideoFrame.from_ndarray(frame, format="gray")
            picture.pts, picture.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(picture))
            encoding_s += time.process_time() - began
        container.mux(stream.encode(None))
    writer.close({**attributes, "state": "complete", "frames": count})
    return path, film, encoding_s / count * 1e3


def cpu_ms(work: Callable[[int], object], count: int) -> float:
    """Processor time of `work` for one number, in milliseconds."""
    began = time.process_time()
    for index in range(count):
        work(index)
    return round((time.process_time() - began) / count * 1e3, 2)


def spread(times: list[float]) -> dict[str, float]:
    """Median and 99th percentile."""
    ordered = sorted(times)
    return {"median": round(statistics.median(ordered), 2), "p99": round(ordered[int(len(ordered) * 0.99)], 2)}


def in_browser(url: str, program: str, count: int) -> dict[str, object]:
    """Stepping, jumping and seeking in a real browser."""
    from playwright.sync_api import sync_playwright

    rng = np.random.default_rng(3)
    far = [int(n) for n in rng.permutation(count)[:100]]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which(program), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url)
        page.wait_for_function("window.ready && viewer.frame === 0", timeout=60_000)
        # Beyond what is fetched ahead, back and forth, so that edges of it are met cold.
        walk = [*range(1, min(200, count)), *range(min(200, count) - 2, max(0, min(200, count) - 102), -1)][:300]
        steps = page.evaluate("frames => go(frames, true)", walk)
        jumps = page.evaluate("frames => go(frames, false)", far)
        middle = page.evaluate("frames => seekVideo(frames, 0.5)", far)
        start = page.evaluate("frames => seekVideo(frames, 0)", far)
        version = browser.version
        browser.close()
    return {
        "browser": version,
        "step_ms": spread(steps["times"]),
        "steps": len(walk),
        "jump_ms": spread(jumps["times"]),
        "jumps": len(far),
        "wrong": steps["wrong"] + jumps["wrong"],
        "video_wrong": middle["wrong"],
        "video_wrong_start": start["wrong"],
        "video_seek_ms": spread(middle["times"]),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="for the recording; default: the system's folder for such")
    parser.add_argument("--frames", type=int, default=400)
    parser.add_argument("--browser", default="chromium", help="empty: without")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        recording, film, video_cpu_ms = make(Path(folder), arguments.frames)
        pictures = FramePictures(recording, cache_bytes=0)
        count = min(200, arguments.frames)
        result: dict[str, object] = {
            "benchmark": "frame_pictures",
            "frame": "1024x768",
            "jpeg_cpu_ms": cpu_ms(pictures.jpeg, count),
            "jpeg_kib": round(len(pictures.jpeg(0)) / 1024),
            "jpeg_face_cpu_ms": cpu_ms(lambda i: pictures.jpeg(i, region=(256, 128, 512, 512)), count),
            "png_cpu_ms": cpu_ms(pictures.png, min(count, 60)),
            "video_cpu_ms": round(video_cpu_ms, 2),
        }
        app = FastAPI()
        app.include_router(frames_router(lambda _request, _key: pictures))
        serve_shared(app)
        app.get("/clip.mp4")(lambda: FileResponse(str(film)))
        app.get("/script.js")(lambda: HTMLResponse(SCRIPT, media_type="text/javascript"))
        app.get("/")(
            lambda: HTMLResponse(
                '<canvas style="width:1024px;height:768px"></canvas>'
                '<video src="/clip.mp4" muted preload="auto"></video>'
                '<script type="module" src="/script.js"></script>'
            )
        )
        with WebServer(app, checked_address("127.0.0.1", 0)) as server:
            times = []
            with httpx.Client(base_url=server.url) as client:
                for index in range(count):
                    began = time.perf_counter()
                    client.get(f"/frames/clip/{index}.jpg").raise_for_status()
                    times.append((time.perf_counter() - began) * 1e3)
            result["http_ms"] = spread(times)
            if arguments.browser:
                result |= in_browser(server.url, arguments.browser, arguments.frames)
    print(json.dumps(result))


if __name__ == "__main__":
    main()

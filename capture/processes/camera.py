"""The camera process: fetches frames, puts them into ring slots, tells the recorder. Nothing else runs here.

The genicam binding holds the interpreter lock while it waits for a frame, so whatever else lived in this process
would stop with it.
"""

from __future__ import annotations

import time
import uuid

import msgspec

from capture.camera import Camera
from capture.camera.clock_watch import ClockWatch
from capture.errors import CameraLost
from capture.messages import Quit, StartTrial, StopTrial, TrialEnded, TrialStarted
from capture.processes.common import (
    REPORT_INTERVAL_NS,
    CameraTask,
    HubLink,
    StopRequest,
    prefer_this_process,
    quiet_garbage_collector,
    run_process,
)
from capture.processes.connection import Connection
from capture.processes.incidents import Incidents
from capture.processes.intake import Intake
from capture.processes.preview import Preview
from capture.processes.rate import RateMeter
from capture.processes.recorder_link import RecorderLink
from capture.processes.reporting import camera_report, end_message, start_message
from capture.processes.trial import Trial
from capture.processes.trial_checks import TrialChecks
from capture.ring import RingWriter
from capture.settings import HardwareSettings
from capture.statistics import CameraState

_NICENESS = -10
_SECOND_NS = 1_000_000_000
_AWAY_POLL_MS = 20
_MAX_GAPS = 100
"""A camera that goes away more often than this in one trial will not stay."""
_LAST_WORDS_S = 5.0
"""How long the process stays for a recorder that has not closed the recording yet."""


class CameraProcess:
    """The loop around one camera: preview between trials, and trials when the supervisor asks for them."""

    def __init__(
        self, task: CameraTask, hub: HubLink, stop: StopRequest, connection: Connection, ring: RingWriter
    ) -> None:
        self._task = task
        self._hub = hub
        self._stop = stop
        self._connection = connection
        self._camera = connection.camera
        self._ring = ring
        self._rate_fps = float(task.settings["rate_fps"])
        self._to_recorder = RecorderLink(task.frames, ring)
        self._incidents = Incidents(hub.send)
        self._trial: Trial | None = None
        self._request: StartTrial | None = None
        self._state = CameraState.STARTING
        self._meter = RateMeter()
        self._clock = ClockWatch(self._camera)
        self._intake = Intake(ring, self._to_recorder, self._meter, self._clock, self._rate_fps)
        self._checks = TrialChecks(task.settings, self._incidents, self._clock)
        self._quit = False
        self._stop_reason: str | None = None
        self._last = Trial("", "", self._rate_fps)
        self._reported_ns = 0
        self._counted_ns = 0
        self._notes_told: set[str] = set()
        self._trial_began_cpu_s = time.process_time()
        self._stop_fill = task.stop_at_fill * ring.slots

    def run(self) -> None:
        """Work until told to quit, or until the camera stays away; a trial that runs then is ended first."""
        self._hub.hello("camera")
        try:
            while not self._quit:
                if self._request is not None:
                    self._run_trial(self._request)
                elif not self._task.preview:
                    self._wait_for_orders()
                elif self._connection.lost:
                    self._await_camera(None)
                else:
                    self._run_preview()
            self._state = CameraState.STOPPED
        finally:
            self._report()
            self._to_recorder.close(_LAST_WORDS_S)

    def _wait_for_orders(self) -> None:
        """Nothing to do: no trial, and nobody looks."""
        self._state = CameraState.STOPPED if self._last.name else CameraState.STARTING
        self._hub.socket.poll(REPORT_INTERVAL_NS // 1_000_000)
        self._house_keeping(time.monotonic_ns())

    def _run_preview(self) -> None:
        """Keep the newest frames in the ring for whoever looks, recording none."""
        self._state = CameraState.PREVIEW
        self._meter.reset()
        try:
            self._connection.start()
            preview = Preview(self._camera, self._ring, self._meter, self._to_recorder.receive)
            while self._request is None and not self._quit:
                now_ns = preview.next_frame() or time.monotonic_ns()
                if now_ns - self._reported_ns >= REPORT_INTERVAL_NS:
                    self._house_keeping(now_ns)
        except CameraLost as error:
            self._lose_camera(error, None)
        else:
            self._connection.stop()

    def _run_trial(self, request: StartTrial) -> None:
        """Record one trial from the first frame to the `end` message."""
        trial = Trial(
            request.trial,
            uuid.uuid4().hex,
            self._rate_fps,
            request.max_frames,
            request.max_seconds,
            began_ns=time.monotonic_ns(),
            listener=self._incidents,
        )
        self._trial, self._last, self._request = trial, trial, None
        self._ring.reset_maximum()
        self._meter.reset()
        self._connection.begin_trial()
        self._clock.begin(self._camera)
        self._checks.begin()
        start = start_message(trial, request, self._camera, self._ring)
        self._to_recorder.start(start)
        self._hub.send(TrialStarted(trial.series, trial.name, time.monotonic_ns(), start))
        self._trial_began_cpu_s = time.process_time()
        reason = "camera process failed"
        try:
            reason = self._record_through_outages(trial)
            if not self._connection.lost:
                self._camera.end_exposure()
                self._intake.drain(trial, self._camera, keep=reason not in ("frames", "duration"))
        except CameraLost as error:
            reason, self._state = "camera lost", CameraState.LOST
            self._incidents.say("error", "camera_lost", str(error), time.monotonic_ns())
            raise
        finally:
            self._end_trial(trial, reason)
        if not self._connection.lost:
            self._connection.stop()

    def _record_through_outages(self, trial: Trial) -> str:
        """Take frames until something ends the trial, waiting for the camera where it goes away; returns what did."""
        if self._connection.lost:
            trial.camera_lost(time.monotonic_ns())
        while True:
            if self._connection.lost:
                reason = self._await_camera(trial)
                if reason is not None:
                    return reason
                self._clock.reconnected(self._camera)
            self._state = CameraState.RECORDING
            try:
                self._connection.start()
                return self._record(trial)
            except CameraLost as error:
                self._lose_camera(error, trial)

    def _record(self, trial: Trial) -> str:
        """Take frames until something ends the trial; returns what did."""
        fetch = self._camera.fetch
        while True:
            delivery = fetch()
            if delivery is None:
                self._intake.take_incomplete(trial, self._camera)
                self._house_keeping(time.monotonic_ns())
            else:
                reason = trial.over(delivery.device_ns or delivery.host_ns, delivery.host_ns)
                if reason is not None:
                    trial.surplus += 1
                    delivery.requeue()
                    return reason
                self._intake.take(trial, delivery)
                if delivery.host_ns - self._reported_ns >= REPORT_INTERVAL_NS:
                    self._house_keeping(delivery.host_ns)
                if self._ring.used >= self._stop_fill:
                    return "ring"
                if trial.frames == trial.max_frames:
                    return "frames"
            if self._stop_reason is not None:
                return self._stop_reason

    def _lose_camera(self, error: CameraLost, trial: Trial | None) -> None:
        """The camera is gone: put it away and wait for it, unless that makes no sense.

        Raises:
            CameraLost: It is not to be waited for, or it is there and refuses.
        """
        refuses = not (trial is not None and trial.any_frame) and self._camera.answers()
        if refuses or not self._connection.patience_s or (trial is not None and len(trial.gaps) >= _MAX_GAPS):
            raise error
        now_ns = time.monotonic_ns()
        if trial is not None:
            self._intake.take_incomplete(trial, self._camera)
            trial.camera_lost(now_ns, self._clock.lateness_ns())
        if not self._connection.lost:
            self._incidents.camera_lost(str(error), self._connection.patience_s, now_ns)
        self._connection.lose(now_ns)
        if trial is not None:
            trial.count_unfetched(self._connection.producer[0])
        self._state = CameraState.LOST
        self._meter.reset()
        self._house_keeping(now_ns)

    def _await_camera(self, trial: Trial | None) -> str | None:
        """Wait until the camera is back and set up; returns early, with what ends the trial, where something does.

        Raises:
            CameraLost: It did not come back in time.
        """
        connection = self._connection
        self._state = CameraState.LOST
        while not self._quit and (trial is not None or self._request is None):
            now_ns = time.monotonic_ns()
            self._house_keeping(now_ns)
            reason = self._stop_reason or (trial.over_by(now_ns) if trial is not None else None)
            if reason is not None:
                return reason
            away_s = connection.lost_s(now_ns) or 0.0
            if connection.try_again(now_ns):
                # The binding installs an interrupt handler of its own; Ctrl-C is the supervisor's business.
                self._stop.install()
                self._camera = connection.camera
                for change in connection.changed_features():
                    self._incidents.say("warning", "camera_back", change, time.monotonic_ns())
                if trial is None:
                    self._incidents.say("info", "camera_back", f"camera back after {away_s:.1f} s", now_ns)
                self._checks.camera_is_back()
                return None
            gave_up = connection.gave_up(time.monotonic_ns())
            if gave_up is not None:
                raise gave_up
            self._hub.socket.poll(_AWAY_POLL_MS)
        return self._stop_reason

    def _end_trial(self, trial: Trial, reason: str) -> None:
        """Say what was counted, to the recorder and to the supervisor, and before that all that was noticed."""
        now_ns = time.monotonic_ns()
        if not self._connection.lost:
            self._connection.read_producer()
        trial.end(now_ns)
        clock = self._checks.finish()
        end = end_message(trial, self._connection.producer, clock, reason, now_ns)
        self._to_recorder.end(end)
        self._tell_notes()
        self._incidents.flush()
        self._hub.send(TrialEnded(trial.name, end, trial.statistics().seconds, trial.fps))
        self._trial = self._stop_reason = None
        self._report()

    def _house_keeping(self, now_ns: int) -> None:
        """Everything that is due ten times a second, or once a second."""
        self._to_recorder.announce()
        self._to_recorder.receive()
        for message in self._hub.received():
            if isinstance(message, StartTrial) and self._trial is None:
                self._request = message
            elif isinstance(message, StopTrial):
                self._stop_reason = message.reason
            elif isinstance(message, Quit):
                self._quit = True
                self._stop_reason = self._stop_reason or "operator"
        if self._stop.requested:
            self._quit = True
            self._stop_reason = self._stop_reason or "signal"
        if self._trial is None:
            self._stop_reason = None
        if now_ns - self._counted_ns >= _SECOND_NS and self._state in (CameraState.PREVIEW, CameraState.RECORDING):
            self._counted_ns = now_ns
            self._connection.read_producer()
            if self._trial is not None:
                self._checks.each_second(self._camera, now_ns)
        if now_ns - self._reported_ns >= REPORT_INTERVAL_NS:
            self._reported_ns = now_ns
            self._report()
            self._tell_notes()
            self._incidents.due(now_ns)
            if self._trial is not None and self._state is CameraState.RECORDING:
                self._checks.rate(self._camera, self._trial, now_ns)

    def _tell_notes(self) -> None:
        """What the camera object found worth knowing, once; some of it only the first frame shows."""
        for note in self._camera.notes:
            if note not in self._notes_told:
                self._notes_told.add(note)
                self._hub.event("warning", note)

    def _report(self) -> None:
        self._hub.send(
            camera_report(
                state=self._state,
                trial=self._last,
                connection=self._connection,
                ring=self._ring,
                clock=self._clock,
                rate_asked_fps=self._rate_fps,
                rate_measured_fps=self._meter.fps,
                trial_began_cpu_s=self._trial_began_cpu_s,
            )
        )


def main() -> None:
    """Entry point of `python -m capture.processes.camera TASK`."""

    def work(task_json: bytes, hub: HubLink, stop: StopRequest) -> None:
        prefer_this_process(_NICENESS)
        task = msgspec.json.decode(task_json, type=CameraTask)
        settings = HardwareSettings.model_validate(task.settings)
        connection = Connection(Camera.open(settings, task.overrides), settings, task.overrides)
        try:
            # harvesters installs a SIGINT handler of its own; Ctrl-C is the supervisor's business.
            stop.install()
            process = CameraProcess(task, hub, stop, connection, RingWriter(task.ring_fd, populate=True))
            quiet_garbage_collector()
            process.run()
        finally:
            connection.camera.close()

    run_process("camera", work)


if __name__ == "__main__":
    main()

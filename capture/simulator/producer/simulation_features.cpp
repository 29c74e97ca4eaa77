// The features that no real camera has: where pictures come from, what was true, and what shall go wrong.
#include "camera.h"

namespace simulator {
namespace {

constexpr const char* kCategory = "Simulation";
constexpr const char* kFormatLocked = "FormatLocked";
constexpr double kMostFrames = 1e12;
constexpr double kLongestMs = 86'400'000;

}  // namespace

void Camera::add_simulation_features() {
  RegisterMap& map = registers();
  Faults& faults = settings_.faults;
  const auto count = [&map](const char* name, const char* about, int64_t* field) -> Feature& {
    return map.integer(name, kCategory).about(about).range(0, kMostFrames).custom().keeps(field);
  };
  const auto milliseconds = [&map](const char* name, const char* about, int64_t* field) {
    map.integer(name, kCategory).about(about).in("ms").range(0, kLongestMs).custom().keeps(field);
  };

  map.enumeration("SimulationSource", kCategory, {{"Stamped", kStamped}, {"Bank", kBank}}).custom()
      .about("Stamped: a test card with a stamp in it. Bank: the pictures of SimulationBankPath.").locked(kFormatLocked)
      .keeps(&settings_.source);
  map.string("SimulationBankPath", kCategory, 4096).custom().about("Frame bank to play.").locked(kFormatLocked)
      .keeps(&settings_.bank_path);
  map.boolean("SimulationStamp", kCategory).custom().about("Whether bank pictures are stamped too.").locked(kFormatLocked)
      .keeps(&settings_.stamp_bank);
  map.boolean("SimulationBankGoesOn", kCategory).custom()
      .about("Whether a bank goes on where the acquisition before ended, and not at its first picture.").locked(kFormatLocked)
      .keeps(&settings_.bank_goes_on);
  map.string("SimulationTruthLog", kCategory, 4096).custom()
      .about("File for the true exposure time of every frame (tab-separated); empty: none.").locked(kFormatLocked)
      .keeps(&settings_.truth_log);
  map.boolean("SimulationPtpOldNames", kCategory).custom()
      .about("PTP features go by their older names, GevIEEE1588 and so on.").keeps(&settings_.ptp_old_names);
  map.integer("SimulationFramesExposed", kCategory).custom().about("Exposures since AcquisitionStart.")
      .reads([this] { return counters_.exposed; });
  map.integer("SimulationIdsSkipped", kCategory).custom().about("Frames lost in the camera since AcquisitionStart.")
      .reads([this] { return counters_.skipped; });
  map.integer("SimulationFramesIncomplete", kCategory).custom().about("Frames delivered incomplete since AcquisitionStart.")
      .reads([this] { return counters_.incomplete; });

  count("FaultFrameIdGapEvery", "After this many frames some are lost in the camera; 0: never.", &faults.gap_every);
  count("FaultFrameIdGapLength", "How many frames are lost each time.", &faults.gap_length);
  count("FaultIncompleteEvery", "Every so many frames one arrives with half its pixels; 0: never.", &faults.incomplete_every);
  count("FaultStallAfterFrames", "After this many frames the camera pauses once; 0: never.", &faults.stall_after);
  milliseconds("FaultStallDuration", "How long it pauses; frame ids do not advance.", &faults.stall_ms);
  map.real("FaultJitter", kCategory).custom().about("Frames are delivered late by a random time up to this.").in("us")
      .range(0, 1e6).keeps(&faults.jitter_us);
  map.real("FaultClockDrift", kCategory).custom().about("How much the device clock is fast.").in("ppm").range(-1e5, 1e5)
      .keeps(&faults.drift_ppm);
  count("FaultClockStepAfterFrames", "After this many frames the device clock steps once; 0: never.", &faults.step_after);
  map.real("FaultClockStep", kCategory).custom().about("By how much the device clock steps.").in("us").range(-1e9, 1e9)
      .keeps(&faults.step_us);
  count("FaultDisconnectAfterFrames", "After this many frames the camera is unplugged; 0: never.", &faults.disconnect_after);
  milliseconds("FaultDisconnectDuration", "How long it stays unplugged; 0: for good.", &faults.disconnect_ms);
  count("FaultDisconnectTimes", "How often at most, since the program began; 0: each time.", &faults.disconnect_times);
  map.boolean("FaultDisconnectKeepsClock", kCategory).custom()
      .about("The device clock runs on while the camera is unplugged; else it starts at zero when it is back.")
      .keeps(&faults.disconnect_keeps_clock);
  count("FaultSlowAfterFrames", "After this many frames the exposure grows, as in poor light; 0: never.",
        &faults.slow_after);
  count("FaultSlowFrames", "For how many frames.", &faults.slow_frames);
  map.real("FaultSlowExposure", kCategory).custom().about("The exposure time meanwhile; bounds the frame rate.").in("us")
      .range(10, 1e6).keeps(&faults.slow_exposure_us);
  count("FaultPtpLossAfterFrames", "After this many frames the PTP master is no longer heard; 0: never.",
        &faults.ptp_loss_after);
  count("FaultPtpLossFrames", "For how many frames.", &faults.ptp_loss_frames);
  map.integer("FaultFrameIdStart", kCategory).custom().about("Id of the first frame.").range(0, 4e18)
      .locked(kFormatLocked).keeps(&faults.id_start);
  Feature& bits = map.integer("FaultFrameIdBits", kCategory).custom().about("Ids wrap after 16, 32 or 64 bits; 0: 64.")
      .range(0, 64).locked(kFormatLocked).keeps(&faults.id_bits);
  bits.set_integer = [&faults](int64_t wanted) {
    if (wanted != 0 && wanted != 16 && wanted != 32 && wanted != 64) {
      throw Failure(GC_ERR_INVALID_VALUE, "FaultFrameIdBits takes 0, 16, 32 or 64");
    }
    faults.id_bits = wanted;
  };
}

}  // namespace simulator

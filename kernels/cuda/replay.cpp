#include "kernels/cuda/replay.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "kernels/cuda/device.hpp"
#include "kernels/cuda/read_buffer.hpp"

namespace qassay::cuda {
namespace {

constexpr std::int64_t kMostOfGraph = 256;  // calls
constexpr std::int64_t kMostUnderWay = 32;  // cold calls
constexpr std::size_t kCacheMultiple = 4;
constexpr std::size_t kLeastEmptied = std::size_t{64} << 20;

class Event {
 public:
  Event() { check(cudaEventCreate(&event_), "making an event"); }
  Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() {
    if (event_ != nullptr) cudaEventDestroy(event_);
  }

  void record() const { check(cudaEventRecord(event_, the_stream()), "recording an event"); }
  double seconds_since(const Event& begin) const {
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin.event_, event_), "reading the device's clock");
    return 1e-3 * static_cast<double>(milliseconds);
  }

 private:
  cudaEvent_t event_ = nullptr;
};

struct Span {
  Event begin, end;
};

/// Reads more than the cache holds, from the one buffer that is there for it.
void empty_cache() {
  static const ReadBuffer buffer(std::max(kCacheMultiple * device_state().l2_bytes, kLeastEmptied));
  buffer.enqueue();
}

void wait() { check(cudaStreamSynchronize(the_stream()), "waiting for what is timed"); }

}  // namespace

void Replay::record(std::int64_t calls) {
  if (recorded_ == calls) return;
  graph_.reset();
  recorded_ = 0;
  const cudaStream_t stream = the_stream();
  enqueue_();  // code is loaded at its first launch, which is not to be within a capture
  wait();
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "beginning a graph");
  cudaGraph_t graph = nullptr;
  try {
    for (std::int64_t i = 0; i < calls; ++i) enqueue_();
  } catch (...) {
    cudaStreamEndCapture(stream, &graph);  // or the stream could not be used again
    if (graph != nullptr) cudaGraphDestroy(graph);
    throw;
  }
  check(cudaStreamEndCapture(stream, &graph), "ending a graph");
  cudaGraphExec_t made = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&made, graph, 0);
  cudaGraphDestroy(graph);
  check(error, "instantiating a graph");
  graph_.reset(made);
  check(cudaGraphUpload(made, stream), "uploading a graph");
  recorded_ = calls;
}

double Replay::hot_seconds(std::int64_t calls) {
  const std::int64_t of_graph = std::min(calls, kMostOfGraph);
  const std::int64_t graphs = (calls + of_graph - 1) / of_graph;
  record(of_graph);
  const Span span;
  span.begin.record();
  for (std::int64_t i = 0; i < graphs; ++i)
    check(cudaGraphLaunch(graph_.get(), the_stream()), "launching a graph");
  span.end.record();
  wait();
  return span.end.seconds_since(span.begin) / static_cast<double>(graphs * of_graph);
}

/// Emptying the cache keeps the device busy for longer than it takes to enqueue what follows, so
/// that no launch is waited for within a span.
double Replay::cold_seconds(std::int64_t calls) {
  record(1);
  double sum = 0;
  for (std::int64_t done = 0; done < calls; done += kMostUnderWay) {
    const std::vector<Span> spans(static_cast<std::size_t>(std::min(calls - done, kMostUnderWay)));
    for (const Span& span : spans) {
      empty_cache();
      span.begin.record();
      check(cudaGraphLaunch(graph_.get(), the_stream()), "launching a graph");
      span.end.record();
    }
    wait();
    for (const Span& span : spans) sum += span.end.seconds_since(span.begin);
  }
  return sum / static_cast<double>(calls);
}

double Replay::seconds(std::int64_t calls, bool cold) {
  return cold ? cold_seconds(calls) : hot_seconds(calls);
}

}  // namespace qassay::cuda

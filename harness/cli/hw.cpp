#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

#include "core/buffer.hpp"
#include "core/error.hpp"
#include "core/statistics.hpp"
#include "hardware_profiles/ceilings.hpp"
#include "hardware_profiles/environment.hpp"
#include "hardware_profiles/eviction.hpp"
#include "hardware_profiles/machine_reader.hpp"
#include "hardware_profiles/pinning.hpp"
#include "harness/cli/command.hpp"
#include "harness/suite/plan.hpp"

namespace qassay {
namespace {

namespace po = boost::program_options;

constexpr int kSamples = 21;

void print_machine(const Machine& machine) {
  std::vector<std::string_view> isas;
  for (const Isa isa : machine.isas) isas.push_back(to_string(isa));
  const auto line = [](std::string_view name, const std::string& value) {
    fmt::print("{:<28} {}\n", name, value);
  };
  line("cpu", machine.cpu);
  line("instruction sets", fmt::format("{}", fmt::join(isas, ", ")));
  line("cores allowed", fmt::format("{}", fmt::join(machine.cores, ", ")));
  line("threads allowed", fmt::format("{}", allowed_threads(machine)));
  line("last-level cache", fmt::format("{} bytes", machine.last_level_cache_bytes));
  line("memory", fmt::format("{} bytes", machine.memory_bytes));
  for (const Fact& fact : machine.facts) line(fact.name, fact.value);
  for (const Fact& fact : environment({})) line(fact.name, fact.value);
  line("fingerprint", machine.fingerprint);
}

void print_ceilings(const Machine& machine) {
  const int threads = allowed_threads(machine);
  fmt::print("{}\n", pin_threads(machine, threads));
  Buffer memory(cold_working_set(threads));
  std::memset(memory.data(), 1, memory.size());
  CeilingProbe probe({memory.data(), memory.size()}, threads);
  std::vector<Ceilings> samples;
  for (int i = 0; i < kSamples; ++i) {
    evict({memory.data(), memory.size()}, threads);
    samples.push_back(probe.sample());
  }
  const auto print = [&](const char* name, double Ceilings::*member, const char* unit) {
    std::vector<double> values;
    for (const Ceilings& sample : samples) values.push_back(sample.*member * 1e-9);
    if (median(values) == 0) {
      fmt::print("{:<28} not probed: this machine lacks the instructions\n", name);
    } else {
      fmt::print("{:<28} {:.1f} {} (quartiles {:.1f} to {:.1f})\n", name, median(values), unit,
                 quantile(values, 0.25), quantile(values, 0.75));
    }
  };
  print("memory read", &Ceilings::read_bytes_per_second, "GB/s");
  print("FP32", &Ceilings::f32_flops, "GFLOP/s");
  print("INT8", &Ceilings::int8_ops, "GOP/s");
  print("BF16", &Ceilings::bf16_flops, "GFLOP/s");
  fmt::print("{:<28} {:.2f} GHz\n", "clock", clock_hz() * 1e-9);
}

}  // namespace

int hw_command(const Command& self, const Arguments& arguments) {
  std::string what;
  po::options_description options("options");
  options.add_options()("what", po::value(&what)->value_name("show|probe")->default_value("show"),
                        "facts, or measured ceilings");
  po::positional_options_description positional;
  positional.add("what", 1);
  if (!parse_arguments(self, arguments, options, positional)) return kFine;
  const Machine machine = read_machine();
  if (what == "show") {
    print_machine(machine);
  } else if (what == "probe") {
    print_ceilings(machine);
  } else {
    throw InputError("qassay hw", fmt::format("'{}' is not known", what), "choose show or probe");
  }
  return kFine;
}

}  // namespace qassay

#include "tests/browser/chromium.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace qassay {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kPatience{60};

/// A pipe whose ends lie above the two descriptors that Chromium expects to be its own.
std::array<int, 2> make_pipe() {
  constexpr int kLowest = 10;
  std::array<int, 2> low{}, high{};
  if (pipe2(low.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe can be made");
  for (std::size_t i = 0; i < 2; ++i) {
    high[i] = fcntl(low[i], F_DUPFD_CLOEXEC, kLowest);
    close(low[i]);
  }
  return high;
}

std::string from_base64(const std::string& text) {
  std::string result;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto value =
        std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
            .find(c);
    if (value == std::string_view::npos) break;  // padding
    bits = bits << 6 | static_cast<unsigned>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      result += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return result;
}

}  // namespace

std::optional<std::string> Chromium::find() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
      const std::string program = folder + "/" + name;
      if (access(program.c_str(), X_OK) == 0) return program;
    }
  }
  return std::nullopt;
}

Chromium::Chromium(const std::string& program) {
  std::string pattern =
      (std::filesystem::temp_directory_path() / "qassay-chromium-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("no folder for Chromium's profile");
  home_ = pattern;

  std::vector<std::string> arguments = {program,
                                        "--headless",
                                        "--no-sandbox",
                                        "--disable-gpu",
                                        "--no-first-run",
                                        "--disable-background-networking",
                                        "--disable-component-update",
                                        "--disable-default-apps",
                                        "--disable-dev-shm-usage",
                                        "--disable-sync",
                                        "--hide-scrollbars",
                                        "--remote-debugging-pipe",
                                        "--user-data-dir=" + home_.string()};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  const auto [commands_out, commands_in] = make_pipe();
  const auto [answers_out, answers_in] = make_pipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, commands_out, 3);
  posix_spawn_file_actions_adddup2(&actions, answers_in, 4);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);  // its children end with it
  const int failed =
      posix_spawn(&process_, program.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(commands_out);
  close(answers_in);
  to_ = commands_in;
  from_ = answers_out;
  signal(SIGPIPE, SIG_IGN);  // a Chromium that ended is told by its silence
  if (failed != 0) {
    process_ = -1;
    kill_all();
    throw std::runtime_error(program + " cannot be started");
  }
}

Chromium::~Chromium() { kill_all(); }

void Chromium::kill_all() {
  if (process_ > 0) {
    kill(-process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  close(to_);
  close(from_);
  // Its helpers may write for a moment after the signal.
  for (int attempt = 0; attempt < 20; ++attempt) {
    std::error_code error;
    std::filesystem::remove_all(home_, error);
    if (!error) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

json Chromium::next_message() {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    const std::size_t end = buffer_.find('\0');
    if (end != std::string::npos) {
      json message = json::parse(buffer_.substr(0, end));
      buffer_.erase(0, end + 1);
      return message;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd ready = {from_, POLLIN, 0};
    if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) == 0) {
      throw std::runtime_error("Chromium does not answer");
    }
    std::array<char, 65536> chunk;
    const ssize_t size = read(from_, chunk.data(), chunk.size());
    if (size <= 0) throw std::runtime_error("Chromium ended");
    buffer_.append(chunk.data(), static_cast<std::size_t>(size));
  }
}

void Chromium::note(const json& event) {
  const std::string method = event.value("method", "");
  if (method == "Page.loadEventFired") loaded_ = true;
  if (method == "Network.requestWillBeSent") {
    requests_.push_back(event["params"]["request"]["url"]);
  }
}

json Chromium::call(const std::string& method, json parameters) {
  json message = {{"id", ++last_id_}, {"method", method}, {"params", std::move(parameters)}};
  if (!session_.empty()) message["sessionId"] = session_;
  const std::string text = message.dump() + '\0';
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t size = write(to_, text.data() + sent, text.size() - sent);
    if (size <= 0) throw std::runtime_error("Chromium takes no commands");
    sent += static_cast<std::size_t>(size);
  }
  while (true) {
    json answer = next_message();
    if (answer.value("id", 0) != last_id_) {
      note(answer);
      continue;
    }
    if (answer.contains("error")) {
      throw std::runtime_error(method + ": " + answer["error"].dump());
    }
    return answer["result"];
  }
}

void Chromium::open(const std::filesystem::path& page, const View& view) {
  session_.clear();
  const json target = call("Target.createTarget", {{"url", "about:blank"}});
  session_ = call("Target.attachToTarget",
                  {{"targetId", target["targetId"]}, {"flatten", true}})["sessionId"];
  requests_.clear();
  call("Page.enable");
  call("Network.enable");
  call("Emulation.setDeviceMetricsOverride", {{"width", view.width},
                                              {"height", view.height},
                                              {"deviceScaleFactor", 1},
                                              {"mobile", false}});
  prefer(view.dark);
  call("Emulation.setScriptExecutionDisabled", {{"value", !view.scripts}});
  loaded_ = false;
  const json answer =
      call("Page.navigate", {{"url", "file://" + std::filesystem::absolute(page).string()}});
  if (answer.contains("errorText")) throw std::runtime_error(answer["errorText"]);
  while (!loaded_) note(next_message());
}

void Chromium::prefer(bool dark) {
  call("Emulation.setEmulatedMedia",
       {{"features", {{{"name", "prefers-color-scheme"}, {"value", dark ? "dark" : "light"}}}}});
}

json Chromium::evaluate(const std::string& expression) {
  const json answer =
      call("Runtime.evaluate",
           {{"expression", expression}, {"returnByValue", true}, {"awaitPromise", true}});
  if (answer.contains("exceptionDetails")) {
    throw std::runtime_error("the page says: " + answer["exceptionDetails"].dump());
  }
  return answer["result"].value("value", json());
}

std::string Chromium::screenshot() {
  return from_base64(
      call("Page.captureScreenshot", {{"format", "png"}, {"captureBeyondViewport", true}})["data"]);
}

std::string Chromium::pdf() {
  constexpr double kA4Width = 8.27, kA4Height = 11.69;  // inches
  return from_base64(call(
      "Page.printToPDF",
      {{"paperWidth", kA4Width}, {"paperHeight", kA4Height}, {"printBackground", false}})["data"]);
}

}  // namespace qassay

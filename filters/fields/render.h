// SPDX-License-Identifier: Apache-2.0
// Parameters as text. Two ways of writing, because two tools are the reference: what sysdig 0.29.3 prints for a
// recorded event ("classic"), and what current Falco prints for the same event with its enter event folded in
// ("current"). Where a parameter is newer than 0.29.3 both are the same.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "capture/base/out.h"
#include "capture/event/event.h"
#include "capture/pipeline.h"

namespace scry::fields {

enum class Dialect : uint8_t { kClassic, kCurrent };

/// How byte buffers are written: -x, -X, -A, -b, or neither.
enum class Buffers : uint8_t { kDots, kHex, kHexAscii, kAscii, kBase64 };

/// What `-t` asks for.
enum class TimeStyle : char { kClock = 'h', kEpoch = 'a', kRelative = 'r', kLatency = 'd', kDelta = 'D' };

struct RenderOptions {
  Dialect dialect = Dialect::kClassic;
  Buffers buffers = Buffers::kDots;
  bool whole_values = false;  ///< -v: buffers are not cut to 80 characters
  TimeStyle time = TimeStyle::kClock;  ///< of evt.outputtime
  bool service_names = false;  ///< -R: ports by the name of their service
  unsigned columns = 0;        ///< of the picture that evt.latency.quantized is for
};

class Renderer {
 public:
  explicit Renderer(RenderOptions options);
  ~Renderer();

  /// evt.info. Classic: "name=value " for each parameter shown, with a space after the last as well. Current: the
  /// parameters of the current layout, separated by one space.
  void args(Out& out, const Moment& moment, const state::Machine& machine);

  /// One parameter as args() would write its value.
  void value(Out& out, const event::ParamStyle& style, event::Param param, const Moment& moment,
             const state::Machine& machine, bool classic);

  /// What a parameter means, where value() would put that in brackets: "ENOENT", "<f>/etc/passwd", "O_RDONLY|O_EXCL",
  /// the whole path; otherwise the same as value(). It is what evt.arg gives.
  void meaning(Out& out, const event::ParamStyle& style, event::Param param, const Moment& moment,
               const state::Machine& machine, bool classic);

  /// A byte buffer in the way that the options ask for.
  void bytes(Out& out, std::string_view bytes);

  /// Name of the service of a port in /etc/services; empty when there is none.
  const std::string& service(uint16_t port, bool udp);
  /// Makes ports into such names in what was written to `out` from `start` on: "10.0.0.5:40000->1.2.3.4:http".
  void name_ports(Out& out, size_t start, state::L4 protocol);

  const RenderOptions& options() const { return options_; }

 private:
  struct Context;
  void flags(Out& out, const event::ParamStyle& style, uint32_t value, bool classic, bool exact);
  /// "(A|B)", or nothing.
  const std::string& flag_names(const event::ParamStyle& style, uint32_t value, bool classic, bool exact);
  void path(Out& out, const event::ParamStyle& style, event::Param param, const Context& context);
  static std::string whole_path(const event::ParamStyle& style, std::string_view text, const Context& context);

  /// Texts of flag values: the same few come again and again.
  struct FlagText {
    int table = -1;
    uint32_t value = 0;
    uint8_t kind = 0;
    std::string text;
  };
  static constexpr size_t kFlagTexts = 256;
  RenderOptions options_;
  std::unique_ptr<FlagText[]> flag_texts_;
  absl::flat_hash_map<uint32_t, std::unique_ptr<std::string>> services_;  ///< by port, and the protocol above it
};

/// How many parameters of an event are shown in the classic way, see render.cpp.
unsigned classic_count(const event::Event& event);

/// "<f>/etc/passwd" and its kin.
void put_fd_name(Out& out, const state::Fd& fd, bool classic);
/// "3(<f>/etc/passwd)" and its kin.
void put_fd(Out& out, int64_t number, const state::Thread* thread, const state::Machine& machine, bool classic);
void put_socket_address(Out& out, event::Param param, bool classic);
void put_socket_tuple(Out& out, event::Param param);
/// Seconds as printf's %lg writes them.
void put_seconds(Out& out, uint64_t nanos);

}  // namespace scry::fields

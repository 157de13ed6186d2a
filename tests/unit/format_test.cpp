// SPDX-License-Identifier: Apache-2.0
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "filters/fields/format.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "capture/source/file_source.h"
#include "tests/support/builder.h"
#include "tests/support/replayed.h"

using namespace scry;
using namespace scry::test;
using fields::Formatter;

namespace {

/// Of process 100 ("bash" of small_machine()): an open, a write of bytes, a getuid.
Capture three_calls() {
  Capture c = small_machine();
  c.event(event::kOpenX, 100, 5'000'000'001, {i64(3), text("/srv/Über"), u32(1), u32(0), u32(0), u64(0)});
  c.event(event::kWriteX, 100, 5'000'000'002, {i64(3), Bytes("a\"b\\\n\x01\xff\0c", 9)});
  c.event(event::kGetuidX, 100, 5'000'000'010, {u32(7)});
  return c;
}

std::vector<std::string> lines_of(std::string_view format, Formatter::Style style = Formatter::Style::kText, fields::RenderOptions options = {}) {
  auto parsed = Formatter::parse(format, style);
  REQUIRE_MESSAGE(parsed, parsed.error().message());
  Replayed replayed(three_calls().bytes());
  fields::Renderer renderer(options);
  std::vector<std::string> lines;
  Out line;
  while (const Moment* moment = replayed.next()) {
    line.clear();
    if (parsed->print(line, *moment, replayed.machine, renderer)) lines.push_back(line.str());
    else CHECK(line.empty());
  }
  return lines;
}

std::string error_of(std::string_view format, Formatter::Style style = Formatter::Style::kText) {
  auto parsed = Formatter::parse(format, style);
  REQUIRE_FALSE(parsed);
  return parsed.error().message();
}

std::string first_of(std::string_view format) { return lines_of(format).at(0); }

}  // namespace

TEST_CASE("fields in text, cut and padded") {
  CHECK(first_of("%evt.num") == "1\n");
  CHECK(first_of("[%5evt.type|%2evt.type|%0evt.type]") == "[open |op|open]\n");
  CHECK(first_of("%evt.numx %evt.num.x") == "1x 1.x\n");
  CHECK(first_of("%evt.num%evt.dir") == "1<\n");
  CHECK(first_of("only text") == "only text\n");
  CHECK(first_of("*") == "\n");
  CHECK(first_of("**%evt.num*") == "*1*\n");
}

TEST_CASE("escapes that formats know, and others that stay") { 
  const std::string format = R"(a\nb\tc\ed\\n\q\)";
  CHECK(first_of(format) == "a\nb\tc\x1b" "d\\n\\q\\\n");
 }

TEST_CASE("a width never leaves half a character") {
  // The name has two bytes for its first letter; cut after one of them, a blank stands there.
  CHECK(first_of("%1basename(fd.name)|") == " |\n");
  CHECK(first_of("%2basename(fd.name)|") == "Ü|\n");
}

TEST_CASE("a line with an absent field is dropped, unless a star keeps it") {
  CHECK(lines_of("%evt.num %fd.name").size() == 2);
  const auto kept = lines_of("*%evt.num %fd.name");
  REQUIRE(kept.size() == 3);
  CHECK(kept[2] == "3 <NA>\n");
  CHECK(lines_of("%evt.num %fd.name", Formatter::Style::kJson).size() == 2);
}

TEST_CASE("transformers, nested and with blanks") {
  CHECK(first_of("%toupper(evt.type)") == "OPEN\n");
  CHECK(first_of("%len(fd.name)") == "10\n");
  CHECK(first_of("%6toupper( basename( fd.name ) )|") == "ÜBER |\n");
  CHECK(first_of("%len(toupper(basename(fd.name)))!") == "5!\n");
  CHECK(first_of("%evt.num(x)") == "1(x)\n");
  CHECK(lines_of("%b64(evt.type)").size() == 1);  // "open" is base64 of three bytes; write and getuid are of no whole number
}

TEST_CASE("arguments in every form") {
  CHECK(first_of("*%proc.aname[0] %proc.aname.0. %proc.aname[\"0\"]") == first_of("*%proc.aname[0] %proc.aname[0]. %proc.aname['0']"));
}

TEST_CASE("JSON: sorted keys, each once, with types") {
  const auto lines = lines_of("*%evt.type %evt.num %5evt.num x %evt.failed %fd.name %toupper(evt.type)", Formatter::Style::kJson);
  const std::string wanted = R"~({"evt.failed":false,"evt.num":1,"evt.type":"open","fd.name":"/srv/Über","toupper(evt.type)":"OPEN"})~";
  CHECK(lines.at(0) == wanted + "\n");
  CHECK(nlohmann::json::parse(lines.at(2))["fd.name"].is_null());
  CHECK(lines_of("no field", Formatter::Style::kJson).at(0) == "{}\n");
}

TEST_CASE("JSON strings") {
  auto quoted = [](std::string_view text) {
    Out out;
    fields::put_json_string(out, text);
    return out.str();
  };
  CHECK(quoted("") == "\"\"");
  CHECK(quoted("plain text that is longer than eight") == "\"plain text that is longer than eight\"");
  const std::string escapes = R"("\"\\\n\t\r\b\f\u0001\u007f")", not_utf8 = R"("\\xff")";
  CHECK(quoted("\"\\\n\t\r\b\f\x01\x7f") == escapes);
  CHECK(quoted("\xff") == not_utf8);
  CHECK(quoted("ü\u202e") == "\"ü\\u202e\"");
  for (int byte = 0; byte < 256; ++byte)
    for (size_t at = 0; at < 17; ++at) {
      std::string text(17, 'x');
      text[at] = static_cast<char>(byte);
      CHECK(nlohmann::json::accept(quoted(text)));
      if (byte < 0x80) CHECK(nlohmann::json::parse(quoted(text)) == text);
    }
}

TEST_CASE("byte buffers as the options say, in JSON as in text") {
  auto second = [](fields::Buffers buffers) {
    return nlohmann::json::parse(lines_of("%evt.info", Formatter::Style::kJson, {.buffers = buffers}).at(1))["evt.info"].get<std::string>();
  };
  CHECK(second(fields::Buffers::kDots).ends_with("data=a\"b\\....c "));
  CHECK(second(fields::Buffers::kHex).ends_with("data=\n\t0x0000: 6122 625c 0a01 ff00 63\n "));
  CHECK(second(fields::Buffers::kAscii).ends_with("data=\na\"b\\\nc "));
  CHECK(second(fields::Buffers::kBase64).ends_with("data=YSJiXAoB/wBj "));
}

TEST_CASE("numbers as their fields want them") {
  auto text = [](fields::Format format, const fields::Value& value, fields::Type type = fields::Type::kUint64) {
    Out out;
    fields::put_value(out, type, format, value);
    return out.str();
  };
  using fields::Format;
  using fields::Value;
  CHECK(text(Format::kDec, Value::integer(-5)) == "-5");
  CHECK(text(Format::kId, Value::number(5)) == "5");
  CHECK(text(Format::kHex, Value::number(0x55e2)) == "55E2");
  CHECK(text(Format::kHex, Value::integer(-1), fields::Type::kInt32) == "FFFFFFFF");
  CHECK(text(Format::kOct, Value::number(8)) == "010");
  CHECK(text(Format::kOct, Value::number(0)) == "0");
  CHECK(text(Format::kPaddedDec, Value::number(42)) == "000000042");
  CHECK(text(Format::kPaddedDec, Value::number(5515038681)) == "5515038681");
  CHECK(text(Format::kDec, Value::real(0.25)) == "0.2");
  CHECK(text(Format::kDec, Value::boolean(true)) == "true");
  CHECK(text(Format::kDec, Value::absent()) == "<NA>");
}

TEST_CASE("errors name the column and what to try") {
  CHECK(error_of("") == "-p: the format is empty; name fields like %evt.num %proc.name");
  CHECK(error_of("%") == "-p, column 1: the format ends with a lone %");
  CHECK(error_of("100%") == "-p, column 4: the format ends with a lone %");
  CHECK(error_of("*%evt.num %7") == "-p, column 11: the format ends with a lone %");
  CHECK(error_of("%%evt.num") == "-p, column 1: a name of a field has to follow the %");
  CHECK(error_of("%-5evt.num") == "-p, column 1: a name of a field has to follow the %");
  CHECK(error_of("%evt.num %proc.nam") == "-p, column 11: unknown field 'proc.nam', did you mean proc.name?");
  CHECK(error_of("x %evt.nosuch y").starts_with("-p, column 4: unknown field 'evt.nosuch'"));
  CHECK(error_of("*%nosuch.field", Formatter::Style::kJson).starts_with("-p, column 3: unknown field 'nosuch.field'"));
  CHECK(error_of("%fd.ip") == "-p, column 2: field 'fd.ip' stands for several values or a test: it works in filters, it can't be printed");
  CHECK(error_of("%len(proc.pid)") == "-p, column 2: type 'INT64' is not supported by 'len' transformer applied on field 'proc.pid'");
  CHECK(error_of("%toupper(len(evt.type))") == "-p, column 2: type 'UINT64' is not supported by 'toupper' transformer applied on field 'evt.type'");
  CHECK(error_of("%len(evt.type") == "-p, column 13: the bracket after 'len' is not closed");
  CHECK(error_of("%toupr(evt.type)") == "-p, column 2: unknown transformer 'toupr'; there are tolower, toupper, b64, basename and len");
  CHECK(error_of("%toupper(%evt.type)") == "-p, column 10: 'toupper' needs the name of a field in its brackets, without %");
  CHECK(error_of("%toupper(") == "-p, column 9: 'toupper' needs the name of a field in its brackets, without %");
  CHECK(error_of("%proc.aname[1") == "-p, column 2: field 'proc.aname': the bracket is not closed");
  CHECK(error_of("%proc.aname[x]") == "-p, column 2: field 'proc.aname' needs a number in its brackets, not 'x'");
  CHECK(error_of("%5000evt.num") == "-p, column 2: a field can't be wider than 4096");
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "toupper(";
  CHECK(error_of('%' + deep + "evt.type") == "-p, column 130: too many transformers within each other");
}

TEST_CASE("ports become names of services") {
  auto named = [](std::string_view text, state::L4 protocol = state::L4::kTcp) {
    Out out;
    out.put(":80 ");
    const size_t start = out.size();
    out.put(text);
    fields::Renderer({}).name_ports(out, start, protocol);
    return out.str().substr(start);
  };
  if (named("1.2.3.4:80") == "1.2.3.4:80") {
    MESSAGE("skipped: this machine knows no services");
    return;
  }
  CHECK(named("10.0.0.5:40000->1.2.3.4:80") == "10.0.0.5:40000->1.2.3.4:http");
  CHECK(named("3(<6t>2001:db8::22:22->::1:80)") == "3(<6t>2001:db8::22:ssh->::1:http)");
  CHECK(named("1.2.3.4:53", state::L4::kUdp) == "1.2.3.4:domain");
  CHECK(named("1.2.3.4:80", state::L4::kUnknown) == "1.2.3.4:80");
  CHECK(named("1.2.3.4:80a :99999999999 :") == "1.2.3.4:80a :99999999999 :");
}

// SPDX-License-Identifier: Apache-2.0
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "filters/fields/transform.h"

#include <doctest/doctest.h>

using namespace scry;
using namespace scry::fields;

namespace {

constexpr std::string_view kAbsent = "<absent>";

std::string made_of(Transformer transformer, std::string_view text) {
  Out scratch(4);
  const Value value = transform(transformer, Value::text(text), scratch);
  return std::string(value.present() ? value.as_text() : kAbsent);
}

}  // namespace

TEST_CASE("names lead to transformers and back") {
  for (const char* name : {"tolower", "toupper", "b64", "basename", "len", "val"}) CHECK(name_of(*find_transformer(name)) == name);
  CHECK_FALSE(find_transformer("join"));
  CHECK_FALSE(find_transformer("TOUPPER"));
}

TEST_CASE("letters change case, in ASCII only") {
  CHECK(made_of(Transformer::kToUpper, "az[`{@_9 ü") == "AZ[`{@_9 ü");
  CHECK(made_of(Transformer::kToLower, "AZ[`{@_9 Ü") == "az[`{@_9 Ü");
}

TEST_CASE("the last part of a path") {
  CHECK(made_of(Transformer::kBasename, "/usr/bin/cat") == "cat");
  CHECK(made_of(Transformer::kBasename, "cat") == "cat");
  CHECK(made_of(Transformer::kBasename, "/a/") == "");
  CHECK(made_of(Transformer::kBasename, "") == "");
}

TEST_CASE("base64 with padding, without, and what is none") {
  CHECK(made_of(Transformer::kB64, "aGVsbG8=") == "hello");
  CHECK(made_of(Transformer::kB64, "aGVsbG8") == "hello");
  CHECK(made_of(Transformer::kB64, "d29ybGQgIQ==") == "world !");
  CHECK(made_of(Transformer::kB64, "Pz8/Pj4+") == "\?\?\?>>>");
  CHECK(made_of(Transformer::kB64, "") == "");
  for (const char* wrong : {"!!!", "a", "aGVsbG8===", "aGVs bG8=", "aGVsbG8\n", "aGVsbG9", "====", "aGVs=bG8"})
    CHECK_MESSAGE(made_of(Transformer::kB64, wrong) == kAbsent, wrong);
  CHECK(made_of(Transformer::kB64, "YQBi") == "a");
  Out scratch;
  CHECK(transform(Transformer::kB64, Value::bytes("YQBi"), scratch).as_text() == std::string_view("a\0b", 3));
}

TEST_CASE("lengths, and what has none") {
  Out scratch;
  CHECK(transform(Transformer::kLen, Value::text("/etc"), scratch).as_uint() == 4);
  CHECK(transform(Transformer::kLen, Value::bytes(std::string_view("\0\0", 2)), scratch).as_uint() == 2);
  CHECK_FALSE(transform(Transformer::kLen, Value::absent(), scratch).present());
  CHECK_FALSE(transform(Transformer::kToUpper, Value::integer(3), scratch).present());
  CHECK(transform(Transformer::kVal, Value::integer(3), scratch).as_int() == 3);
}

TEST_CASE("nested: the text before lies in the scratch that grows") {
  Out scratch(8);
  const std::string path = "/srv/" + std::string(500, 'x') + "/NAME";
  Value value = Value::text(path);
  for (const auto step : {Transformer::kToLower, Transformer::kToUpper, Transformer::kToLower, Transformer::kBasename, Transformer::kToUpper})
    value = transform(step, value, scratch);
  CHECK(value.as_text() == "NAME");
}

TEST_CASE("safe text stays safe, decoded text is not") {
  Out scratch;
  CHECK(transform(Transformer::kToUpper, Value::made("a=1"), scratch).is_safe());
  CHECK(transform(Transformer::kBasename, Value::made("a/1"), scratch).is_safe());
  CHECK_FALSE(transform(Transformer::kB64, Value::made("GzFt"), scratch).is_safe());
  CHECK_FALSE(transform(Transformer::kToUpper, Value::text("a"), scratch).is_safe());
}

TEST_CASE("types") {
  CHECK(result_type(Transformer::kToUpper, Type::kCharbuf, false) == Type::kCharbuf);
  CHECK(result_type(Transformer::kToLower, Type::kFspath, false) == Type::kFspath);
  CHECK_FALSE(result_type(Transformer::kToLower, Type::kBytebuf, false));
  CHECK(result_type(Transformer::kB64, Type::kBytebuf, false) == Type::kBytebuf);
  CHECK_FALSE(result_type(Transformer::kB64, Type::kFspath, false));
  CHECK(result_type(Transformer::kLen, Type::kCharbuf, false) == Type::kUint64);
  CHECK(result_type(Transformer::kLen, Type::kInt64, true) == Type::kUint64);
  CHECK_FALSE(result_type(Transformer::kLen, Type::kInt64, false));
  CHECK(result_type(Transformer::kVal, Type::kPort, false) == Type::kPort);
  CHECK(wrong_type(Transformer::kLen, Type::kInt64, "proc.pid") == "type 'INT64' is not supported by 'len' transformer applied on field 'proc.pid'");
}

// SPDX-License-Identifier: Apache-2.0
// Every event of the table, at the ends of what its parameters can hold, through state and printing. The sanitized
// build is where this says most.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "capture/pipeline.h"
#include "capture/source/file_source.h"
#include "filters/fields/format.h"
#include "tests/support/all_fields.h"
#include "tests/support/builder.h"
#include "tests/support/replayed.h"
#include "tests/support/visible_check.h"

using namespace scry;
using namespace scry::test;

TEST_CASE("every event prints, in every way") {
  const std::string bytes = every_code().bytes();
  for (const auto dialect : {fields::Dialect::kClassic, fields::Dialect::kCurrent})
    for (const auto style : {fields::Formatter::Style::kText, fields::Formatter::Style::kJson}) {
      Replayed replayed(bytes);
      fields::Renderer renderer({.dialect = dialect});
      auto format = fields::Formatter::parse(all_fields(), style);
      REQUIRE(format);
      Out line;
      size_t wrong = 0, last_code = 0;
      while (const Moment* moment = replayed.next()) {
        line.clear();
        format->print(line, *moment, replayed.machine, renderer);
        line.shrink(line.size() - 1);
        wrong += !is_visible_text(line.view());
        if (style == fields::Formatter::Style::kJson) wrong += !nlohmann::json::accept(line.view());
        last_code = moment->event.raw().code;
      }
      CHECK(wrong == 0);
      CHECK(last_code >= event::kCodeCount - 2);
    }
}

TEST_CASE("a column's width cuts no character in half") {
  Capture c = small_machine().event(event::kOpenX, 100, 1, {i64(3), text("/\xe2\x82\xac\xe2\x82\xac"), u32(1), u32(0)});
  Replayed replayed(c.bytes());
  fields::Renderer renderer({});
  const Moment* moment = replayed.next();
  REQUIRE(moment);
  const char* const kExpected[] = {"/ |", "/  |", "/\xe2\x82\xac|", "/\xe2\x82\xac |"};
  for (int width = 2; width <= 5; ++width) {
    auto format = fields::Formatter::parse("%" + std::to_string(width) + "fd.name|", fields::Formatter::Style::kText);
    REQUIRE(format);
    Out line;
    CHECK(format->print(line, *moment, replayed.machine, renderer));
    CHECK(line.str() == kExpected[width - 2] + std::string("\n"));
  }
}

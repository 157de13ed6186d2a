// SPDX-License-Identifier: Apache-2.0
// Fields of systems that are gone: Mesos and Marathon, and sysdig's tracers. Old filters, formats and views name them,
// so they exist; no capture has an answer.
#include "filters/fields/field.h"

namespace scry::fields {
namespace {

Value absent(const Ask&) { return Value::absent(); }

constexpr std::string_view kMesos = "of Mesos and Marathon, which captures tell nothing about";
constexpr std::string_view kTracers = "of tracers, which no recorder writes any more";

enum Extra : uint8_t { kNothing, kWithArgument, kForTables, kBoth };

constexpr Field dead(std::string_view name, std::string_view doc, Type type = Type::kCharbuf, Format format = Format::kNa,
                     Extra extra = kNothing) {
  const bool table = extra == kForTables || extra == kBoth, argument = extra == kWithArgument || extra == kBoth;
  return {name, type, absent, doc,
          {.argument = argument ? Argument::kText : Argument::kNone,
           .flags = static_cast<uint16_t>(kDead | kNotCurrent | (table ? kTableOnly : 0)),
           .format = format,
           .cost = Cost::kHeader}};
}

constexpr Field kMesosFields[] = {
    dead("marathon.app.id", kMesos),
    dead("marathon.app.label", kMesos, Type::kCharbuf, Format::kNa, kWithArgument),
    dead("marathon.app.labels", kMesos),
    dead("marathon.app.name", kMesos),
    dead("marathon.group.id", kMesos),
    dead("marathon.group.name", kMesos),
    dead("mesos.framework.id", kMesos),
    dead("mesos.framework.name", kMesos),
    dead("mesos.task.id", kMesos),
    dead("mesos.task.label", kMesos, Type::kCharbuf, Format::kNa, kWithArgument),
    dead("mesos.task.labels", kMesos),
    dead("mesos.task.name", kMesos),
};

constexpr Field kEvtinFields[] = {
    dead("evtin.span.arg", kTracers, Type::kCharbuf, Format::kNa, kWithArgument),
    dead("evtin.span.args", kTracers),
    dead("evtin.span.id", kTracers, Type::kInt64, Format::kId),
    dead("evtin.span.m.arg", kTracers, Type::kCharbuf, Format::kNa, kWithArgument),
    dead("evtin.span.m.args", kTracers),
    dead("evtin.span.m.id", kTracers, Type::kInt64, Format::kId),
    dead("evtin.span.m.nargs", kTracers, Type::kUint32, Format::kDec),
    dead("evtin.span.m.ntags", kTracers, Type::kUint32, Format::kDec),
    dead("evtin.span.m.tag", kTracers, Type::kCharbuf, Format::kNa, kWithArgument),
    dead("evtin.span.m.tags", kTracers),
    dead("evtin.span.nargs", kTracers, Type::kUint32, Format::kDec),
    dead("evtin.span.ntags", kTracers, Type::kUint32, Format::kDec),
    dead("evtin.span.p.arg", kTracers, Type::kCharbuf, Format::kNa, kWithArgument),
    dead("evtin.span.p.args", kTracers),
    dead("evtin.span.p.id", kTracers, Type::kInt64, Format::kId),
    dead("evtin.span.p.nargs", kTracers, Type::kUint32, Format::kDec),
    dead("evtin.span.p.ntags", kTracers, Type::kUint32, Format::kDec),
    dead("evtin.span.p.tag", kTracers, Type::kCharbuf, Format::kNa, kWithArgument),
    dead("evtin.span.p.tags", kTracers),
    dead("evtin.span.s.arg", kTracers, Type::kCharbuf, Format::kNa, kWithArgument),
    dead("evtin.span.s.args", kTracers),
    dead("evtin.span.s.id", kTracers, Type::kInt64, Format::kId),
    dead("evtin.span.s.nargs", kTracers, Type::kUint32, Format::kDec),
    dead("evtin.span.s.ntags", kTracers, Type::kUint32, Format::kDec),
    dead("evtin.span.s.tag", kTracers, Type::kCharbuf, Format::kNa, kWithArgument),
    dead("evtin.span.s.tags", kTracers),
    dead("evtin.span.tag", kTracers, Type::kCharbuf, Format::kNa, kWithArgument),
    dead("evtin.span.tags", kTracers),
};

constexpr Field kSpanFields[] = {
    dead("span.arg", kTracers, Type::kCharbuf, Format::kNa, kWithArgument),
    dead("span.args", kTracers),
    dead("span.childcount.fortag", kTracers, Type::kUint64, Format::kDec, kBoth),
    dead("span.count", kTracers, Type::kUint64, Format::kDec, kForTables),
    dead("span.count.fortag", kTracers, Type::kUint64, Format::kDec, kBoth),
    dead("span.duration", kTracers, Type::kReltime, Format::kDec),
    dead("span.duration.fortag", kTracers, Type::kReltime, Format::kDec, kBoth),
    dead("span.duration.human", kTracers),
    dead("span.duration.quantized", kTracers, Type::kUint64, Format::kDec, kForTables),
    dead("span.enterarg", kTracers, Type::kCharbuf, Format::kNa, kWithArgument),
    dead("span.enterargs", kTracers),
    dead("span.id", kTracers, Type::kInt64, Format::kId),
    dead("span.idtag", kTracers, Type::kCharbuf, Format::kNa, kBoth),
    dead("span.nargs", kTracers, Type::kUint32, Format::kDec),
    dead("span.ntags", kTracers, Type::kUint32, Format::kDec),
    dead("span.rawparenttime", kTracers, Type::kCharbuf, Format::kNa, kForTables),
    dead("span.rawtime", kTracers, Type::kCharbuf, Format::kNa, kForTables),
    dead("span.tag", kTracers, Type::kCharbuf, Format::kNa, kWithArgument),
    dead("span.tags", kTracers),
    dead("span.time", kTracers),
};

}  // namespace

std::span<const Field> mesos_fields() { return kMesosFields; }
std::span<const Field> evtin_fields() { return kEvtinFields; }
std::span<const Field> span_fields() { return kSpanFields; }

}  // namespace scry::fields

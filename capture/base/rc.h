// SPDX-License-Identifier: Apache-2.0
// Intrusive reference counts, so that a snapshot of the machine costs what changed since. Not atomic: a machine and
// its snapshots belong to one thread; another core gets a copy of its own.
#pragma once

#include <cstdint>
#include <utility>

namespace scry {

class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) {}  // a copy starts its own life
  RefCounted& operator=(const RefCounted&) { return *this; }
  uint32_t refs() const { return refs_; }

 private:
  template <class T>
  friend class Rc;
  mutable uint32_t refs_ = 0;
};

template <class T>
class Rc {
 public:
  Rc() = default;
  explicit Rc(T* object) : object_(object) { acquire(); }
  Rc(const Rc& other) : object_(other.object_) { acquire(); }
  Rc(Rc&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Rc& operator=(Rc other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Rc() {
    if (object_ && --object_->refs_ == 0) delete object_;
  }

  const T* get() const { return object_; }
  const T* operator->() const { return object_; }
  const T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }

  /// The object for writing: a copy of its own if anybody else holds it too.
  T& mut() {
    if (object_->refs_ > 1) *this = Rc(new T(*object_));
    return *object_;
  }

 private:
  void acquire() const {
    if (object_) ++object_->refs_;
  }
  T* object_ = nullptr;
};

}  // namespace scry

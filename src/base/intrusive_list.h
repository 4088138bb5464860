// A doubly linked list whose links live inside its elements.
//
// Used for everything that is queued, pooled or timed: no allocation, removal in constant time from
// wherever the element is. An element derives from ListNode<Tag> once for each list it can be in.
// The list owns nothing: an element must be unlinked before it dies (asserted), and lists must be
// empty when they die.
#pragma once

#include <cstddef>

#include "base/assert.h"

namespace hyperion {

template <class Tag>
class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { HYPERION_ASSERT(!linked()); }
  bool linked() const { return next_ != nullptr; }
  // Takes the node out of whatever list it is in; nothing happens if it is in none.
  void unlink() {
    if (!linked()) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

 private:
  template <class T, class U>
  friend class IntrusiveList;
  ListNode* next_ = nullptr;
  ListNode* previous_ = nullptr;
};

template <class T, class Tag>
class IntrusiveList {
  using Node = ListNode<Tag>;

 public:
  IntrusiveList() { head_.next_ = head_.previous_ = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    HYPERION_ASSERT(empty());
    head_.next_ = head_.previous_ = nullptr;
  }

  bool empty() const { return head_.next_ == &head_; }
  T* front() { return empty() ? nullptr : element(head_.next_); }
  T* back() { return empty() ? nullptr : element(head_.previous_); }
  void push_back(T* item) { insert_before(&head_, item); }
  void push_front(T* item) { insert_before(head_.next_, item); }
  T* pop_front() {
    T* item = front();
    if (item != nullptr) static_cast<Node*>(item)->unlink();
    return item;
  }
  // The element after `item`, or nullptr at the end.
  T* next(T* item) {
    Node* node = static_cast<Node*>(item)->next_;
    return node == &head_ ? nullptr : element(node);
  }
  // Moves all elements of `other` to the back of this list.
  void splice_back(IntrusiveList& other) {
    if (other.empty()) return;
    Node* first = other.head_.next_;
    Node* last = other.head_.previous_;
    first->previous_ = head_.previous_;
    head_.previous_->next_ = first;
    last->next_ = &head_;
    head_.previous_ = last;
    other.head_.next_ = other.head_.previous_ = &other.head_;
  }
  // Walks the list; for tests and statistics.
  size_t count() const {
    size_t n = 0;
    for (const Node* node = head_.next_; node != &head_; node = node->next_) ++n;
    return n;
  }

 private:
  static T* element(Node* node) { return static_cast<T*>(node); }
  static void insert_before(Node* place, T* item) {
    Node* node = static_cast<Node*>(item);
    HYPERION_ASSERT(!node->linked());
    node->previous_ = place->previous_;
    node->next_ = place;
    place->previous_->next_ = node;
    place->previous_ = node;
  }
  Node head_;
};

}  // namespace hyperion

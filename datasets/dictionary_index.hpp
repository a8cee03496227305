#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace qassay {

/// Where the text of an entry lies, in bytes.
struct DictionaryEntry {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// The different entries that an index of dictd's points to, in the order of the text, without
/// those about the dictionary itself (headwords 00-database-*). A line of an index is
/// HEADWORD TAB OFFSET TAB LENGTH, the numbers in base 64 with the digits A-Z a-z 0-9 + /, the
/// highest first (dictd(8)); several headwords may point to one entry. The index is not trusted:
/// throws InputError naming `place` and the line for one that is not of this form, and for entries
/// that are empty, reach beyond the end of the text or overlap.
std::vector<DictionaryEntry> read_dictionary_index(std::string_view index, std::uint64_t text_bytes,
                                                   std::string_view place);

}  // namespace qassay

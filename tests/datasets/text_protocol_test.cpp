#include "datasets/text_protocol.hpp"

#include <gmock/gmock.h>

#include <numeric>

#include "core/hash.hpp"
#include "tests/datasets/faults.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TextProtocol protocol(std::int64_t context, std::int64_t stride, Bos bos = Bos::none,
                      Tail tail = Tail::dropped) {
  return {"t", context, stride, bos, Join::newline, tail, "ab12"};
}

TEST(TextWindowsTest, DoNotOverlapWhereTheStrideIsTheContext) {
  EXPECT_THAT(windows(10, protocol(4, 4)),
              ElementsAre(TextWindow{0, 4, 1, false}, TextWindow{4, 4, 1, false}));
  EXPECT_THAT(windows(8, protocol(4, 4)),
              ElementsAre(TextWindow{0, 4, 1, false}, TextWindow{4, 4, 1, false}));
}

TEST(TextWindowsTest, ScoreOnlyTheirNewTokensWhereTheyOverlap) {
  EXPECT_THAT(windows(8, protocol(4, 2)),
              ElementsAre(TextWindow{0, 4, 1, false}, TextWindow{2, 4, 2, false},
                          TextWindow{4, 4, 2, false}));
}

TEST(TextWindowsTest, KeepTheTailWhereAWholeWindowWouldBegin) {
  EXPECT_THAT(windows(10, protocol(4, 4, Bos::none, Tail::kept)),
              ElementsAre(TextWindow{0, 4, 1, false}, TextWindow{4, 4, 1, false},
                          TextWindow{8, 2, 1, false}));
  EXPECT_THAT(windows(7, protocol(4, 2, Bos::none, Tail::kept)),
              ElementsAre(TextWindow{0, 4, 1, false}, TextWindow{2, 4, 2, false},
                          TextWindow{4, 3, 2, false}));
  // A single token, which nothing in its window predicts.
  EXPECT_THAT(windows(5, protocol(4, 4, Bos::none, Tail::kept)),
              ElementsAre(TextWindow{0, 4, 1, false}));
}

TEST(TextWindowsTest, ABeginOfTextTokenTakesAPlaceAndPredictsTheFirstToken) {
  EXPECT_THAT(windows(11, protocol(4, 4, Bos::first_window)),
              ElementsAre(TextWindow{0, 3, 0, true}, TextWindow{3, 4, 1, false},
                          TextWindow{7, 4, 1, false}));
  EXPECT_THAT(windows(8, protocol(4, 4, Bos::every_window)),
              ElementsAre(TextWindow{0, 3, 0, true}, TextWindow{3, 3, 0, true}));
  EXPECT_THAT(windows(7, protocol(4, 2, Bos::first_window)),
              ElementsAre(TextWindow{0, 3, 0, true}, TextWindow{1, 4, 2, false},
                          TextWindow{3, 4, 2, false}));
  EXPECT_THAT(
      windows(7, protocol(4, 2, Bos::every_window)),
      ElementsAre(TextWindow{0, 3, 0, true}, TextWindow{2, 3, 1, true}, TextWindow{4, 3, 1, true}));
}

TEST(TextWindowsTest, ScoreNoTokenTwiceAndLeaveOutOnlyWhatTheyMust) {
  for (const Bos bos : {Bos::none, Bos::first_window, Bos::every_window}) {
    for (const Tail tail : {Tail::dropped, Tail::kept}) {
      for (std::int64_t context = 2; context <= 7; ++context) {
        for (std::int64_t stride = 1; stride <= context; ++stride) {
          for (std::int64_t tokens = context; tokens <= 3 * context + 2; ++tokens) {
            std::vector<int> scored(static_cast<std::size_t>(tokens));
            for (const TextWindow& window : windows(tokens, protocol(context, stride, bos, tail))) {
              ASSERT_GE(window.begin, 0);
              ASSERT_LE(window.begin + window.length, tokens);
              ASSERT_LE(window.length + (window.bos ? 1 : 0), context);
              ASSERT_GE(window.scored_from, window.bos ? 0 : 1);
              ASSERT_GT(window.scored(), 0);
              for (std::int64_t i = window.scored_from; i < window.length; ++i) {
                ++scored[static_cast<std::size_t>(window.begin + i)];
              }
            }
            for (const int times : scored) ASSERT_LE(times, 1);
            const auto total = std::accumulate(scored.begin(), scored.end(), std::int64_t{0});
            if (stride < context && tail == Tail::kept) {
              EXPECT_EQ(total, tokens - (bos == Bos::none ? 1 : 0));
            }
            if (bos == Bos::every_window && tail == Tail::kept) {
              EXPECT_EQ(total, tokens);
            }
          }
        }
      }
    }
  }
}

TEST(TextWindowsTest, RefuseWhatHasNoWindow) {
  const auto fault = [](std::int64_t tokens, const TextProtocol& wanted) {
    return fault_of([&] { windows(tokens, wanted); });
  };
  EXPECT_THAT(fault(9, protocol(1, 1)), HasSubstr("context: is 1"));
  EXPECT_THAT(fault(9, protocol(4, 0)), HasSubstr("choose one from 1 to 4"));
  EXPECT_THAT(fault(9, protocol(4, 5)), HasSubstr("stride: is 5 with a context of 4"));
  EXPECT_THAT(fault(3, protocol(4, 4)), HasSubstr("has 3 tokens, fewer than one window"));
  EXPECT_THAT(fault(3, protocol(4, 4, Bos::none, Tail::kept)), HasSubstr("has 3 tokens"));
  EXPECT_THAT(fault(0, protocol(4, 4)), HasSubstr("has 0 tokens"));
  EXPECT_EQ(windows(3, protocol(4, 4, Bos::first_window)).size(), 1U);
}

TEST(TextProtocolTest, HasACanonicalText) {
  EXPECT_EQ(to_text(protocol(512, 256)),
            "text=t context=512 stride=256 bos=none join=newline tail=dropped tokens=ab12");
  EXPECT_EQ(to_text({"my 100% text", 8, 8, Bos::every_window, Join::blank_line, Tail::kept, "c"}),
            "text=my%20100%25%20text context=8 stride=8 bos=every-window join=blank-line tail=kept "
            "tokens=c");
}

TEST(TextProtocolTest, NamesTheFieldThatDiffers) {
  const TextProtocol one = protocol(4, 2);
  EXPECT_FALSE(refuse_comparison(one, one));
  const auto reason = [&](auto change) {
    TextProtocol other = one;
    change(other);
    EXPECT_NE(to_text(one), to_text(other));
    EXPECT_FALSE(one == other);
    const auto refusal = refuse_comparison(one, other);
    return refusal ? refusal->reason : "";
  };
  EXPECT_EQ(reason([](TextProtocol& p) { p.context = 8; }),
            "the evaluation protocols differ: context is 4 and 8");
  EXPECT_THAT(reason([](TextProtocol& p) { p.stride = 4; }), HasSubstr("stride is 2 and 4"));
  EXPECT_THAT(reason([](TextProtocol& p) { p.bos = Bos::first_window; }),
              HasSubstr("bos is none and first-window"));
  EXPECT_THAT(reason([](TextProtocol& p) { p.join = Join::none; }),
              HasSubstr("join is newline and none"));
  EXPECT_THAT(reason([](TextProtocol& p) { p.tail = Tail::kept; }),
              HasSubstr("tail is dropped and kept"));
  EXPECT_THAT(reason([](TextProtocol& p) { p.tokens_hash = "cd"; }),
              HasSubstr("tokens is ab12 and cd"));
}

TEST(TextProtocolTest, HashesTokensAsLittleEndianWords) {
  EXPECT_EQ(hash_tokens(std::vector<std::int32_t>{1, 0x01020304}),
            sha256(std::string_view("\x01\0\0\0\x04\x03\x02\x01", 8)));
}

}  // namespace
}  // namespace qassay

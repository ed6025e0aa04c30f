/* depthwise.hpp: depthwise.h for C++17 and later, with memory that frees itself, spans, and errors as exceptions.
 *
 *     depthwise::network network;
 *     const auto answer = network.classify(rgb, height, width).best();
 *     std::cout << answer.label << ' ' << answer.probability << '\n';
 *
 * A network has an arena of its own, so that threads may each have one; one of them is for one thread at a time. */
#ifndef DEPTHWISE_HPP
#define DEPTHWISE_HPP

#include "depthwise.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>
#if __cplusplus >= 202002L
#include <span>
#endif

namespace depthwise {

#ifdef __cpp_lib_span
template <class T> using span = std::span<T>;
#else
/* What of std::span is used here, for C++17. */
template <class T> class span {
  public:
    constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <class Container>
    constexpr span(Container &from) noexcept : data_(from.data()), size_(from.size())
    {
    }
    constexpr T *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr T *begin() const noexcept { return data_; }
    constexpr T *end() const noexcept { return data_ + size_; }
    constexpr T &operator[](std::size_t index) const noexcept { return data_[index]; }

  private:
    T *data_;
    std::size_t size_;
};
#endif

/* A call that could not be done; `status` is one of depthwise.h. */
class error : public std::runtime_error {
  public:
    error(std::int32_t status, const std::string &what) : std::runtime_error(what), status(status) {}
    const std::int32_t status;
};

/* A label, its place among the labels, and its probability. */
struct answer {
    std::string_view label;
    std::int32_t index;
    float probability;
};

/* Probabilities, one a label. */
class answers {
  public:
    explicit answers(std::vector<float> probabilities) : probabilities_(std::move(probabilities)) {}
    span<const float> probabilities() const noexcept { return {probabilities_.data(), probabilities_.size()}; }

    /* The likeliest label; of equal ones the first. */
    answer best() const noexcept
    {
        std::int32_t found = 0;
        for (std::int32_t i = 1; i < static_cast<std::int32_t>(probabilities_.size()); i++) {
            found = probabilities_[static_cast<std::size_t>(i)] > probabilities_[static_cast<std::size_t>(found)] ? i
                                                                                                               : found;
        }
        return {dw_label(found), found, probabilities_[static_cast<std::size_t>(found)]};
    }

  private:
    std::vector<float> probabilities_;
};

class network {
  public:
    /* Throws error when the artifact is of another interface, or this processor lacks what it was built for. */
    network()
    {
        if (dw_interface() >> 16 != DW_INTERFACE_MAJOR) {
            throw error(-1, "the artifact has another interface than depthwise.h");
        }
        check(dw_processor());
        arena_.reset(::operator new(dw_arena_bytes(), std::align_val_t{64}));
    }

    /* Of a frame of height x width pixels, rows from the top, red, green and blue together. */
    answers classify(span<const std::uint8_t> rgb, std::int32_t height, std::int32_t width)
    {
        const std::int64_t pitch = std::int64_t{width} * dw_input_channels();
        if (height < 1 || width < 1 || rgb.size() / static_cast<std::size_t>(height) < static_cast<std::size_t>(pitch)) {
            throw error(DW_FRAME_SIZE, "the frame has fewer bytes than its height and width say");
        }
        return answered([&](float *out) { return dw_classify(rgb.data(), height, width, pitch, out, arena_.get()); });
    }

    /* Of a frame in YUV. */
    answers classify(const dw_yuv &frame)
    {
        return answered([&](float *out) { return dw_classify_yuv(&frame, out, arena_.get()); });
    }

    /* Of prepared pixels. */
    answers run(span<const std::uint8_t> pixels)
    {
        const auto wanted = static_cast<std::size_t>(dw_input_height()) *
                            static_cast<std::size_t>(dw_input_width() * dw_input_channels());
        if (pixels.size() != wanted) {
            throw error(DW_FRAME_SIZE, "prepared pixels are as many as the network takes");
        }
        return answered([&](float *out) { return dw_run(pixels.data(), out, arena_.get()); });
    }

    /* The largest difference to the golden cases; throws error when that is more than rounding. */
    float verify()
    {
        float worst = 0;
        check(dw_verify(&worst, arena_.get()));
        return worst;
    }

  private:
    struct aligned {
        void operator()(void *memory) const noexcept { ::operator delete(memory, std::align_val_t{64}); }
    };

    static void check(std::int32_t status)
    {
        if (status != DW_OK) {
            throw error(status, "the artifact returned status " + std::to_string(status) + " of depthwise.h");
        }
    }

    template <class Call> static answers answered(Call call)
    {
        std::vector<float> out(static_cast<std::size_t>(dw_label_count()));
        check(call(out.data()));
        return answers(std::move(out));
    }

    std::unique_ptr<void, aligned> arena_;
};

} /* namespace depthwise */

#endif

//! Making large pictures smaller with no more memory than the result takes.
//!
//! The library's own resizing holds the picture in between as four floats a
//! pixel: 300 MB for a photo of 40 megapixels. Here each row of the result is
//! made from the rows it needs, and nothing else is kept.

use image::{DynamicImage, ImageBuffer, Pixel};

/// How far the Catmull-Rom curve reaches to each side, in pixels of the result.
const REACH: f64 = 2.0;

/// The picture with fewer pixels each way, by Catmull-Rom interpolation. Of
/// sixteen bits a channel, eight stay.
pub(super) fn shrink(picture: DynamicImage, width: u32, height: u32) -> DynamicImage {
    match picture {
        DynamicImage::ImageLuma8(luma) => channels(&luma, width, height).into(),
        DynamicImage::ImageRgb8(rgb) => channels(&rgb, width, height).into(),
        DynamicImage::ImageRgba8(rgba) => channels(&rgba, width, height).into(),
        other if other.color().has_alpha() => channels(&other.into_rgba8(), width, height).into(),
        other => channels(&other.into_rgb8(), width, height).into(),
    }
}

/// The pixels that one pixel of the result is made of: where they begin, and
/// how much each counts. Their sum is one.
struct Share {
    from: usize,
    weights: Vec<f32>,
}

/// The shares of a side that is made shorter.
fn shares(long: u32, short: u32) -> Vec<Share> {
    let ratio = f64::from(long) / f64::from(short);
    // Never narrower than the curve itself, where hardly anything is lost.
    let width = ratio.max(1.0);
    let share = |place: u32| {
        let centre = (f64::from(place) + 0.5) * ratio;
        let from = (centre - REACH * width).floor().max(0.0) as u32;
        let to = ((centre + REACH * width).ceil() as u32).clamp(from + 1, long);
        let weight = |at: u32| catmull_rom((f64::from(at) + 0.5 - centre) / width);
        let weights: Vec<f64> = (from..to).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        Share { from: from as usize, weights: weights.iter().map(|weight| (weight / sum) as f32).collect() }
    };
    (0..short).map(share).collect()
}

/// Catmull and Rom 1974, as Mitchell and Netravali 1988 write it (B = 0, C = ½).
fn catmull_rom(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        1.5 * x.powi(3) - 2.5 * x.powi(2) + 1.0
    } else if x < REACH {
        -0.5 * x.powi(3) + 2.5 * x.powi(2) - 4.0 * x + 2.0
    } else {
        0.0
    }
}

type Bytes<P> = ImageBuffer<P, Vec<u8>>;

fn channels<P>(from: &Bytes<P>, width: u32, height: u32) -> Bytes<P>
where
    P: Pixel<Subpixel = u8>,
{
    let count = usize::from(P::CHANNEL_COUNT);
    let row_bytes = from.width() as usize * count;
    let source = from.as_raw();
    let across = shares(from.width(), width);
    let mut out = Bytes::<P>::new(width, height);
    // One row of the result in its height, not yet in its width.
    let mut tall = vec![0.0_f32; row_bytes];
    let rows = shares(from.height(), height).into_iter().zip(out.chunks_exact_mut(width as usize * count));
    for (down, line) in rows {
        tall.fill(0.0);
        for (row, weight) in source[down.from * row_bytes..].chunks_exact(row_bytes).zip(&down.weights) {
            tall.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * f32::from(*value));
        }
        for (share, pixel) in across.iter().zip(line.chunks_exact_mut(count)) {
            let near = tall[share.from * count..].chunks_exact(count).zip(&share.weights);
            let mut sums = [0.0_f32; 4];
            for (values, weight) in near {
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
            }
            // The curve dips below nothing and above everything.
            pixel.iter_mut().zip(sums).for_each(|(value, sum)| *value = sum.round().clamp(0.0, 255.0) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbaImage;
    use image::imageops::FilterType;

    fn sample(width: u32, height: u32) -> RgbaImage {
        RgbaImage::from_fn(width, height, |x, y| {
            image::Rgba([(x * 3) as u8, (y * 5) as u8, (x * y / 7) as u8, 255 - (x / 2) as u8])
        })
    }

    #[test]
    fn it_looks_like_what_the_library_makes() {
        for (from, to) in
            [((200, 120), (91, 55)), ((97, 211), (30, 65)), ((64, 64), (63, 1)), ((40, 2), (2, 1))]
        {
            let picture = DynamicImage::from(sample(from.0, from.1));
            let theirs = picture.resize_exact(to.0, to.1, FilterType::CatmullRom);
            let ours = shrink(picture, to.0, to.1);
            assert_eq!((ours.width(), ours.height()), to);
            let far = ours.as_bytes().iter().zip(theirs.as_bytes()).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(far.is_some_and(|far| far <= 2), "{from:?} to {to:?}: {far:?}");
        }
    }

    #[test]
    fn every_kind_of_picture_is_shrunk() {
        for picture in [
            DynamicImage::new_luma8(9, 9),
            DynamicImage::new_luma_a8(9, 9),
            DynamicImage::new_rgb8(9, 9),
            DynamicImage::new_rgba8(9, 9),
            DynamicImage::new_rgb16(9, 9),
            DynamicImage::new_rgba16(9, 9),
        ] {
            let has_alpha = picture.color().has_alpha();
            let small = shrink(picture, 4, 3);
            assert_eq!((small.width(), small.height(), small.color().has_alpha()), (4, 3, has_alpha));
        }
    }
}

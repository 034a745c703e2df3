//! Serves fakecloud's S3, and no other service of it, on a port of 127.0.0.1: `fakecloud-host PORT`.
//!
//! Objects live in memory and signatures are not checked: a judge of checksums for tests, not a store.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::{Extension, Router};
use fakecloud_core::delivery::DeliveryBus;
use fakecloud_core::dispatch::{dispatch, DispatchConfig};
use fakecloud_core::multi_account::MultiAccountState;
use fakecloud_core::registry::ServiceRegistry;
use fakecloud_s3::S3Service;
use parking_lot::RwLock;
use tokio::net::TcpListener;

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "000000000000";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).ok_or("usage: fakecloud-host PORT")?.parse()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let endpoint = format!("http://{}", listener.local_addr()?);

    let state = MultiAccountState::new(ACCOUNT, REGION, &endpoint);
    let s3 = S3Service::new(Arc::new(RwLock::new(state)), Arc::new(DeliveryBus::new()));
    let mut services = ServiceRegistry::new();
    services.register(Arc::new(s3));

    // axum refuses bodies above 2 MiB unless told otherwise; a part has at least 5.
    let app = Router::new()
        .fallback(dispatch)
        .layer(Extension(Arc::new(services)))
        .layer(Extension(Arc::new(DispatchConfig::new(REGION, ACCOUNT))))
        .layer(DefaultBodyLimit::disable());
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
